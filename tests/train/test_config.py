import tomllib
from dataclasses import fields, replace

import pytest

from mien.errors import BadSettingError, UnknownNameError
from mien.train import config
from mien.train.config import TrainConfig
from mien.train.recipes import find_recipe

DEFAULT = TrainConfig(data=("data/rafdb",))


@pytest.fixture
def load(tmp_path):
    """Load a settings file of this text."""

    def run(text):
        path = tmp_path / "settings.toml"
        path.write_text(text, encoding="utf-8")
        return config.load(path)

    return run


def test_what_the_file_leaves_out_keeps_its_default(load):
    found = load('data = ["data/rafdb"]\nrate = 0.02\nneutral = false\n')
    assert found == replace(DEFAULT, rate=0.02, neutral=False)


def test_settings_are_read_back_as_written(load):
    changed = TrainConfig(
        data=("data/rafdb", "data/fer2013"),
        model="other",
        neutral=False,
        seed=7,
        rate=1e-5,
        schedule="cosine",
        weight_decay=0.0,
        rotate=180.0,
        bf16=False,
        compile=True,
    )
    assert load(config.to_toml(changed)) == changed
    assert load(config.to_toml(DEFAULT)) == DEFAULT


@pytest.mark.parametrize(
    "folder", ["C:\\data\\new", 'a "b"', "é ü 😀", "tab\tand\nline\x7f", "#1, [2]"]
)
def test_a_folder_of_any_name_is_read_back_as_written(load, folder):
    settings = TrainConfig(data=(folder, "b"), model=folder)
    assert load(config.to_toml(settings)) == settings


def test_every_setting_is_on_its_own_line_with_its_name():
    later = {"classes": ("a", "b"), "folds": 2, "start": "miennet", "frozen": True}
    text = config.to_toml(replace(DEFAULT, **later))
    names = [line.partition(" = ")[0] for line in text.splitlines()]
    assert names == [field.name for field in fields(TrainConfig)]


def test_what_came_later_is_left_out_where_it_is_as_usual():
    """So the settings of a search that was begun before are those that it has now."""
    names = {line.partition(" = ")[0] for line in config.to_toml(DEFAULT).splitlines()}
    all_names = {field.name for field in fields(TrainConfig)}
    assert all_names - names == {"classes", "folds", "frozen"}


@pytest.mark.parametrize(
    ("typo", "meant"), [("patiance", "patience"), ("epoch", "epochs"), ("Rate", "rate")]
)
def test_a_typo_is_refused_with_the_setting_that_was_meant(load, typo, meant):
    with pytest.raises(UnknownNameError, match=f"no setting called '{typo}'\n  try: use {meant}$"):
        load(f'data = ["a"]\n{typo} = 1\n')


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("epochs = 2.5", "give a whole number, like 20"),
        ('epochs = "2"', "give a whole number, like 20"),
        ("epochs = true", "give a whole number, like 20"),
        ('rate = "fast"', "give a number, like 0.15"),
        ("rate = true", "give a number, like 0.15"),
        ("neutral = 1", "give true or false"),
        ("model = 3", 'give a text in quotes, like "miennet"'),
        ('data = "data/rafdb"', "give a list of texts in quotes"),
        ("data = [1]", "give a list of texts in quotes"),
        ("[rate]\nhighest = 1", "give a number, like 0.15"),
    ],
)
def test_a_value_of_another_type_is_refused_with_the_type(load, line, wanted):
    text = line if line.startswith("data") else f'data = ["a"]\n{line}'
    with pytest.raises(BadSettingError) as caught:
        load(text)
    assert wanted in caught.value.fix


def test_a_whole_number_will_do_for_a_share(load):
    found = load('data = ["a"]\nrate = 1\n')
    assert found.rate == 1.0
    assert isinstance(found.rate, float)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("hold_out", 0, 0.99),
        ("smoothing", 0, 0.99),
        ("dropout", 0, 0.99),
        ("average", 0, 0.99),
        ("momentum", 0, 0.99),
        ("warmup", 0, 0.99),
    ],
)
def test_a_share_lies_from_zero_to_below_one(name, low, high):
    for value in (low, high):
        assert getattr(replace(DEFAULT, **{name: value}), name) == value
    for value in (-0.01, 1, float("nan")):
        with pytest.raises(BadSettingError, match=rf"{name} is {value}\n.*in \[0, 1\)"):
            replace(DEFAULT, **{name: value})


@pytest.mark.parametrize(
    ("name", "smallest", "wrong"),
    [
        ("epochs", 1, 0),
        ("batch", 1, 0),
        ("patience", 0, -1),
        ("threads", 0, -1),
        ("seed", 0, -1),
        ("weight_decay", 0, -1e-9),
        ("weight_decay", 0, float("nan")),
        ("rate", 1e-9, 0),
        ("rate", 1e9, float("inf")),
        ("rate", 1e-9, float("nan")),
        ("seed", 2**32 - 1, 2**32),
    ],
)
def test_a_number_out_of_range_is_refused_with_its_name(name, smallest, wrong):
    assert getattr(replace(DEFAULT, **{name: smallest}), name) == smallest
    with pytest.raises(BadSettingError, match=f"{name} is {wrong}\n  try: give a"):
        replace(DEFAULT, **{name: wrong})


def test_a_schedule_that_does_not_exist_is_refused():
    with pytest.raises(UnknownNameError, match=r"no schedule called 'onecycle'.*\n.*use one-cycle"):
        replace(DEFAULT, schedule="onecycle")


@pytest.mark.parametrize(
    ("both", "message"),
    [
        ({"folds": 3, "patience": 2}, "folds and patience are set: held-out pictures would choose"),
        ({"shuffle_labels": True, "teachers": ("a",)}, "shuffle_labels is set, and teachers would"),
    ],
)
def test_settings_that_spoil_each_other_are_refused(both, message):
    for name, value in both.items():
        replace(DEFAULT, **{name: value})
    with pytest.raises(BadSettingError, match=rf"{message}.*\n  try: leave"):
        replace(DEFAULT, **both)


def test_settings_without_data_say_how_to_name_them(load):
    with pytest.raises(BadSettingError, match=r'data is empty\n  try: .*data = \["'):
        load("epochs = 3\n")


@pytest.mark.parametrize("text", [b"epochs = ", b"\xff\xfe", b"data = [\n"])
def test_a_file_that_is_no_toml_is_named(tmp_path, text):
    (tmp_path / "odd.toml").write_bytes(text)
    with pytest.raises(BadSettingError, match=r"cannot read .*odd\.toml"):
        config.load(tmp_path / "odd.toml")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(BadSettingError, match=r"cannot read .*gone\.toml.*No such file"):
        config.load(tmp_path / "gone.toml")


@pytest.mark.parametrize(
    "line",
    [
        "rate = 1e300",
        "rate = 1e-300",
        "rate = inf",
        "rate = nan",
        "rate = 9999999999999999999",
        "heat = 1e300",
        "heat = 1e-300",
        "weight_decay = 1e300",
        "epochs = 99999999999",
        "batch = 99999999999",
        "devices = 99999",
        "seed = 18446744073709551615",
        "patience = -1",
        "momentum = 1e300",
    ],
)
def test_a_number_that_no_run_can_use_is_refused_by_its_name(load, line):
    with pytest.raises(BadSettingError, match=f"^{line.split()[0]} is .*\n  try: give a"):
        load(f'data = ["a"]\n{line}\n')


@pytest.mark.parametrize(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "[" * 17 + "]" * 17,
        "rate." + ".".join("a" * 2000) + " = 1",
        "epochs = " + "9" * 9000,
        "epochs = 0x" + "f" * 9000,
        'model = "a\0b"',
        "\0",
    ],
    ids=["deep", "nested", "dotted", "huge", "huge hexadecimal", "raw NUL", "NUL alone"],
)
def test_a_file_of_settings_that_is_absurd_is_one_error(load, text):
    with pytest.raises(BadSettingError, match=r"cannot read .*settings\.toml: .*\n  try: check"):
        load(text)


@pytest.mark.parametrize("name", ["data", "model", "start", "votes", "teachers"])
def test_a_name_with_a_nul_character_is_refused(load, name):
    text = '"a\\u0000b"' if name in {"model", "start"} else '["ok", "a\\u0000b"]'
    first = "" if name == "data" else 'data = ["a"]\n'
    with pytest.raises(BadSettingError, match=rf"{name} = 'a\\x00b' holds a NUL.*\n  try: remove"):
        load(f"{first}{name} = {text}\n")


def test_a_file_of_settings_without_end_or_of_an_odd_name_is_refused():
    for path in ("/dev/zero", "a\0b"):
        with pytest.raises(BadSettingError, match=r"cannot read .*\n  try: check the file"):
            config.load(path)


def test_a_run_that_begins_with_a_trained_network_has_defaults_of_its_own():
    begun = config.make({"data": ["a"], "start": "miennet", "batch": 8})
    assert (begun.optimiser, begun.rate, begun.dropout, begun.batch) == ("adamw", 0.001, 0.0, 8)
    # whoever says how to step is left alone, and so are fresh weights
    for said in ({"rate": 0.01}, {"optimiser": "sgd"}):
        told = config.make({"data": ["a"], "start": "miennet", **said})
        usual = TrainConfig(data=("a",), start="miennet")
        assert told == replace(usual, **said)
    assert config.make({"data": ["a"]}) == TrainConfig(data=("a",))
    # what a run writes down reads back as it was
    old = TrainConfig(data=("a",), start="miennet")
    assert config.make(tomllib.loads(config.to_toml(old))) == old


def test_the_recipe_for_own_classes_says_what_such_a_run_has_by_default():
    recipe = config.load(find_recipe("own-classes"))
    said = {"data": ["data/mine"], "start": "miennet", "folds": 5, "epochs": 12}
    assert recipe == config.make(said)


@pytest.mark.parametrize("second", ["data/a", "data/a/", "./data/a", "data/b/../a"])
def test_a_folder_named_twice_is_refused(load, second):
    with pytest.raises(BadSettingError, match="data names a folder twice"):
        load(f'data = ["data/a", "{second}"]')
