from mien.serve.page_files import page_as_one_file, page_files
from tests.support.commands import mien
from tests.support.onnx_files import channels_model


def test_a_folder_holds_the_page_and_its_networks(tmp_path):
    result = mien("page", tmp_path / "site")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "MB" in result.stderr
    assert f"wrote {tmp_path / 'site'}" in result.stderr
    written = {
        path.relative_to(tmp_path / "site").as_posix(): path.read_bytes()
        for path in (tmp_path / "site").rglob("*")
        if path.is_file()
    }
    assert written == page_files()


def test_one_file_with_another_model(tmp_path):
    model, out = tmp_path / "own.onnx", tmp_path / "page.html"
    model.write_bytes(channels_model(name="own"))
    assert mien("page", "--out", out, "--model", model).exit_code == 0
    assert out.read_bytes() == page_as_one_file(model)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "kept.txt").write_text("kept")
    result = mien("page", tmp_path)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == (
        f"mien: {tmp_path} exists\n  try: name a new folder, or remove that one\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["kept.txt"]


def test_nothing_to_write_is_wrong_usage():
    result = mien("page")
    assert result.exit_code == 2
    assert "--out mien.html" in result.stderr


def test_a_model_that_is_missing_leaves_no_folder(tmp_path):
    result = mien("page", tmp_path / "site", "--model", tmp_path / "none.onnx")
    assert result.exit_code == 1
    assert "none.onnx" in result.stderr
    assert not (tmp_path / "site").exists()
