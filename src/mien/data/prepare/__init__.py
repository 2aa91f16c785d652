"""The pictures of a dataset become crops of one kind, without copies of held-out pictures.

pipeline    list the pictures, cut them, find leaks, write the tables
crops       cut a picture
crop_store  write crops and keep their rows
leaks       find training pictures that are copies of held-out ones
record      settings and report of a run: prepare.json
contents    what a folder was made from, to notice a source that has changed
"""

from typing import TYPE_CHECKING

from mien._lazy import on_first_use

if TYPE_CHECKING:
    from mien.data.prepare.pipeline import prepare as prepare
    from mien.data.prepare.record import Report as Report
    from mien.data.prepare.record import Settings as Settings

__getattr__, __dir__ = on_first_use(
    __name__,
    {
        "Report": "mien.data.prepare.record",
        "Settings": "mien.data.prepare.record",
        "prepare": "mien.data.prepare.pipeline",
    },
)
