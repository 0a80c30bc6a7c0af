"""How long the search of each configuration may take, and with which seed; pure."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from sloproof.analysis.capacity.search import SearchPlan, most_trials, needed_trials
from sloproof.experiment.plan import derived_seed
from sloproof.experiment.record import OVERHEAD_S
from sloproof.slo.problems import WrongInput

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sloproof.experiment.plan import Configuration
    from sloproof.experiment.record import BackendName
    from sloproof.experiment.spec import Experiment

TURN_S = 0.5
"""What passes between two trials: reading the one, and what it has left on the disk."""


class BudgetError(WrongInput):
    """The time that a search is given is not enough for any conclusion."""


def search_plans(experiment: Experiment, backend: BackendName) -> dict[str, SearchPlan]:
    """Return the plan of the search of each configuration, by its name: an equal share of the time."""
    search, matrix = experiment.search, experiment.configurations()
    assert search is not None  # noqa: S101 - else it is no search
    return {
        each.id: SearchPlan(
            from_per_s=search.lowest,
            to_per_s=search.highest,
            budget_s=search.budget / len(matrix),
            trial_s=experiment.traffic(each).seconds + OVERHEAD_S[backend] + TURN_S,
            trials=search.trials,
            seed=derived_seed(experiment.seed, "search", each.id),
        )
        for each in matrix
    }


def check_budget(experiment: Experiment, backend: BackendName) -> None:
    """Raise BudgetError where a search has too little time for a conclusion, with what would be enough."""
    plans = search_plans(experiment, backend)
    needed_s = max(needed_trials(each) * each.trial_s for each in plans.values()) * len(plans)
    for name, each in plans.items():
        if most_trials(each) < needed_trials(each):
            raise BudgetError(
                f"{experiment.name}: search.budget: {each.budget_s * len(plans) / 60:g}m leaves {name} "
                f"{most_trials(each)} trials of about {each.trial_s:g} s, and a search takes about "
                f"{needed_trials(each)}: write {math.ceil(needed_s / 60)}m, or make the trials shorter"
            )


def turn(searching: Sequence[Configuration], ran: Mapping[str, int], *, seed: int) -> Configuration:
    """Return the configuration whose turn it is, of those that still search and have `ran` so many trials.

    All of them run once a round, in an order drawn anew for each, so that a slow minute hits all alike.

    >>> from sloproof.experiment.plan import Configuration
    >>> a, b = Configuration({"x": "a"}), Configuration({"x": "b"})
    >>> turn([a, b], {"a": 1, "b": 0}, seed=1).id
    'b'
    """
    return min(
        searching, key=lambda each: (ran[each.id], derived_seed(seed, "order", ran[each.id] + 1, each.id))
    )
