"""Which pictures judge a run where a split of its folders decides it, in a few letters.

Runs whose `hold_out` and `draw` agree hold out the same pictures of a database only if it has no
``valid`` split, or the same one. Knows nothing of networks.
"""

from collections.abc import Mapping
from typing import Any

from mien.errors import BadSettingError
from mien.evaluate.learned import TEST, VALID, split_digests
from mien.train.config import TrainConfig

__all__ = ["held_out_otherwise", "held_out_record", "refuse_other_splits"]


def held_out_record(settings: TrainConfig) -> dict[str, dict[str, str]]:
    """Tell which pictures the splits of a run's folders hold out, for its record.

    Args:
        settings: of the run.

    Returns:
        What `split_digests` says of each split.

    Raises:
        BadDataError: if a folder is missing.
    """
    return {
        VALID: split_digests(settings.data, "valid"),
        TEST: split_digests(settings.data, "test"),
    }


def refuse_other_splits(
    who: str, record: Mapping[str, Any], settings: TrainConfig, keys: tuple[str, ...]
) -> None:
    """Check that the folders of a run still hold out what they did when it began.

    Else pictures that it has learned would be measured, and be the ones that calibrate it.

    Args:
        who: the run, for the error.
        record: of the run; an older one that does not say it is taken as it is.
        settings: of the run.
        keys: `VALID`, `TEST` or both.

    Raises:
        BadSettingError: if a split has other pictures now.
    """
    for key in keys:
        if key not in record:
            continue
        split = key.partition("_")[0]
        found = split_digests(settings.data, split)
        # by value: the same pictures may come from an archive of another name
        if sorted(record[key].values()) != sorted(found.values()):
            raise BadSettingError(
                f"{who} began with another {split} split of its data, and may have learned "
                "pictures that are in it now",
                fix="prepare the data as they were, with the same pictures and --seed, or train "
                "anew with another --out",
            )


def held_out_otherwise(
    record: Mapping[str, Any], own: Mapping[str, str], settings: TrainConfig
) -> list[str]:
    """Name the databases of which a run holds out other pictures than an earlier one did.

    Args:
        record: of what the earlier one learned from; one that has no `VALID` names none.
        own: of the run's folders, from `split_digests`.
        settings: of the run.

    Returns:
        The sources of those that both know and whose ``valid`` splits differ, if the run holds
        something out of them.
    """
    known = record.get(VALID, {})
    draws = bool(settings.hold_out or settings.folds)
    other = {name for name in own.keys() & known.keys() if own[name] != known[name]}
    return sorted({name.partition(":")[0] for name in other if own[name] or draws})
