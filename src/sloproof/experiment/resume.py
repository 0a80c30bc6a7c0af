"""What is left to run of an interrupted run, and whether it may go on; pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sloproof.analysis.results import TrialResult
    from sloproof.experiment.plan import PlannedTrial
    from sloproof.experiment.record import TrialRecord

# More would spend every repeat on one bad minute, or on one configuration that takes every processor.
REPEATS_OF_A_TRIAL = 2
# What differs between two moments of one machine.
PASSING = frozenset({"load_average", "uptime_s", "changed"})


def runs_again(result: TrialResult, *, repeats_left: int) -> bool:
    """Tell whether a trial is to be repeated, because it was invalid."""
    return not result.valid and result.repeat < REPEATS_OF_A_TRIAL and repeats_left > 0


def that_count(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    """Return the trials of the last attempt at each block: a block is compared whole or not at all."""
    last: dict[int, int] = {}
    for record in records:
        last[record.block] = max(record.attempt, last.get(record.block, 1))
    return [record for record in records if record.attempt == last[record.block]]


def remaining(
    planned: Sequence[PlannedTrial], finished: Sequence[TrialResult], *, repeats_left: int
) -> list[PlannedTrial]:
    """Return the planned trials from the first block on that is not complete.

    A block is complete when every configuration has a trial in it that is not to be repeated.
    """
    done = {
        (each.block, each.configuration)
        for each in finished
        if not runs_again(each, repeats_left=repeats_left)
    }
    first = next((each.block for each in planned if (each.block, each.configuration.id) not in done), None)
    return [] if first is None else [each for each in planned if each.block >= first]


def of_whole_blocks(finished: Sequence[TrialResult], left: Sequence[PlannedTrial]) -> list[TrialResult]:
    """Return the finished trials without those of a block that was interrupted and runs again."""
    return [each for each in finished if not left or each.block < left[0].block]


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Yield in words what of an environment, or of any other facts, is no longer as it was.

    What an older version has not looked at cannot have changed.
    """
    for name in sorted(before.keys() - PASSING):
        if before.get(name) != now.get(name):
            yield f"{name} was {before.get(name)!r} and is {now.get(name)!r}"
