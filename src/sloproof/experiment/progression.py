"""Whether a run that goes on until decided goes on: from its trials so far, at the looks fixed beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.analysis.looking import Looking, worth_going_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sloproof.analysis.counts import Counts
    from sloproof.analysis.results import TrialResult
    from sloproof.slo.definition import Definition, Objective


def ends_before(
    block: int, trials: Sequence[TrialResult], *, looks: Sequence[int], definition: Definition
) -> bool:
    """Tell whether a run ends before a block: there is a look, and nothing is left that more may decide.

    Only what clients see is asked for: what they cannot see, further blocks of the same traffic do not show.
    """
    if block - 1 not in looks:
        return False
    looking = Looking(planned=tuple(looks), done=block - 1)
    before = [trial for trial in trials if trial.block < block]
    return not any(
        worth_going_on(objective.target, seen_by_clients(objective, before, configuration), looking)
        for configuration in {trial.configuration for trial in before}
        for objective in definition.objectives
    )


def seen_by_clients(
    objective: Objective, trials: Sequence[TrialResult], configuration: str
) -> list[tuple[int, Counts]]:
    """Return the clients' counts of an objective in each valid trial of a configuration, with its block."""
    return [
        (trial.block, client)
        for trial in trials
        if trial.valid
        and trial.configuration == configuration
        and (client := trial.observations[objective.name].client) is not None
    ]


def planned_blocks(
    trials: Sequence[TrialResult], *, done: int, looks: Sequence[int], definition: Definition
) -> int:
    """Return with how many blocks a run until decided, of which some are done, is complete.

    They are those up to the look that ends it, as far as can be told.
    """
    for look in looks:
        if look >= looks[-1] or look > done:
            return look
        if ends_before(look + 1, trials, looks=looks, definition=definition):
            return look
    raise AssertionError("unreachable: the last look ends every run")


def blocks_done(trials: Sequence[TrialResult], *, configurations: int) -> int:
    """Return how many blocks have run whole, one after another."""
    ran = {(trial.block, trial.configuration) for trial in trials}
    done = 0
    while sum(block == done + 1 for block, _ in ran) >= configurations:
        done += 1
    return done
