"""Pictures of a database become crops of one kind, without copies of test pictures.

pipeline  list, crop, find leaks, write: the whole way
crops     one picture -> one crop; the store of what was written; the files
leaks     copies of test pictures among the others
record    settings and report of a run: prepare.json
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
