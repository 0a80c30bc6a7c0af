"""How many further trials would probably decide between met and violated; it knows no counts of events."""

from __future__ import annotations

import math
from functools import cache

from sloproof.analysis.intervals import lower_rank

MAX_MORE_TRIALS = 200
PROBABLE_RATIO = 0.8
JEFFREYS = 0.5


@cache
def more_trials(*, meets: int, misses: int, at_least: int = 1) -> int | None:
    """Return the least number of further trials after which a verdict is probable (80 %).

    `meets` and `misses` are the trials so far; `at_least` is how many are needed for another reason.
    ``None``: more than 200.

    >>> more_trials(meets=4, misses=0), more_trials(meets=5, misses=1), more_trials(meets=3, misses=3)
    (2, 24, None)
    """
    candidates = range(max(1, at_least), MAX_MORE_TRIALS + 1)
    return next(
        (more for more in candidates if chance_of_verdict(meets, misses, more) >= PROBABLE_RATIO), None
    )


@cache
def chance_of_verdict(meets: int, misses: int, more: int, *, rank: int | None = None) -> float:
    """Return the probability that `more` further trials decide, given those seen.

    Fewer than `rank` trials on one side of the target decide; left out, that of one look at all of them.

    A verdict is reached when so few trials lie on one side of the target that the whole interval is on the
    other. The share of trials that meet the target is not known, so the number of further ones is
    beta-binomial: a single best guess of the share would drop that doubt and promise too much. Jeffreys'
    prior leans to shares near 0 and 1, as configurations do.
    Source: Gelman et al., Bayesian Data Analysis (2013), sections 2.4 (prediction) and 2.8 (the prior).

    >>> round(chance_of_verdict(5, 0, 1), 4)  # the sixth must meet it too: (5 + 1/2) / (5 + 1)
    0.9167
    """
    trials = meets + misses + more
    rank = (lower_rank(trials) or 0) if rank is None else rank
    undecided = range(max(0, rank - meets), min(more, trials - meets - rank) + 1)
    return 1 - sum(_beta_binomial(each, more, meets + JEFFREYS, misses + JEFFREYS) for each in undecided)


def _beta_binomial(k: int, n: int, a: float, b: float) -> float:
    """Return the probability of k successes among n when the chance of one is Beta(a, b)."""
    return math.comb(n, k) * math.exp(_log_beta(a + k, b + n - k) - _log_beta(a, b))


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
