"""A film whose file was refused once is refused again, and FFmpeg is not asked any more."""

import subprocess
import sys

from tests.support.video_files import film, shades

_GOING_ON = """
import sys
from pathlib import Path
import numpy as np
from mien.errors import OutputError
from mien.media.sources import open_video
from mien.media.video_writer import atomic_video
from tests.support.full_disk import full_disk

refused = []
with open_video(sys.argv[1]) as video, full_disk(0):
    try:
        with atomic_video(Path(sys.argv[2]), video, 1) as written:
            for number in range(3):
                try:
                    written.write(np.zeros((64, 64, 3), np.uint8), number)
                except OutputError as error:
                    refused.append(error)
    except OutputError as error:
        refused.append(error)
print(len(refused), len(set(map(id, refused))), refused[0].message)
"""


def test_who_goes_on_after_a_full_disk_meets_the_same_error_again(tmp_path):
    source, out = film(tmp_path / "a.mov", shades(2)), tmp_path / "out.mp4"
    # in a process of its own: FFmpeg ended it at the second frame
    command = [sys.executable, "-c", _GOING_ON, str(source), str(out)]
    run = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    assert run.returncode == 0
    assert run.stdout == f"3 1 cannot write {out}: File too large\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a.mov"]
