"""How often comparisons are right on machines that drift: simulated, and printed (-s shows them).

As in the measurements that the design rests on, the machine's speed is AR(1) from trial to trial with
φ = 0.9 and a standard deviation of 10 %, and every trial has 4 % of its own.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from sloproof.analysis.comparison.evidence import of_errors, of_latencies
from sloproof.analysis.comparison.judging import judge
from sloproof.analysis.comparison.outcome import Comparison, Design, Kind, Metric, Relation
from sloproof.analysis.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

EXPERIMENTS = 2_000
MARGIN = 0.05
LATENCY = Metric(kind=Kind.LATENCY, name="submit p99", about="POST /jobs", q=0.99)
ERRORS = Metric(kind=Kind.ERRORS, name="submit bad", about="submit")


def sampling_error(share: float) -> float:
    """Return three standard errors of a share of so many experiments."""
    return 3 * math.sqrt(share * (1 - share) / EXPERIMENTS)


def drift(random: np.random.Generator, *, trials: int) -> NDArray[np.float64]:
    """Return the logarithm of the machine's speed in each trial of each experiment."""
    phi, sd = 0.9, 0.1
    speed = np.empty((EXPERIMENTS, trials))
    now = sd * random.standard_normal(EXPERIMENTS)
    for trial in range(trials):
        speed[:, trial] = now
        now = phi * now + sd * math.sqrt(1 - phi**2) * random.standard_normal(EXPERIMENTS)
    return speed


def blocks(random: np.random.Generator, *, count: int, ratios: Sequence[float]) -> NDArray[np.float64]:
    """Return p99s in seconds as [experiment, configuration, block], in a random order within each block."""
    size = len(ratios)
    speed = drift(random, trials=count * size).reshape(EXPERIMENTS, count, size)
    shuffled = random.permuted(speed, axis=2).transpose(0, 2, 1)
    noise = 0.04 * random.standard_normal(shuffled.shape)
    p99_s: NDArray[np.float64] = 0.1 * np.array(ratios)[:, None] * np.exp(shuffled + noise)
    return p99_s


def verdicts(
    p99_s: NDArray[np.float64], pairs: Sequence[tuple[int, int]], design: Design = Design.BLOCKS
) -> list[Comparison]:
    """Return the comparisons of the pairs of configurations of one experiment."""
    sides = [dict(enumerate(values.tolist())) for values in p99_s]
    family = {
        (str(first), str(second)): of_latencies(sides[first], sides[second], design=design)
        for first, second in pairs
    }
    return list(judge(LATENCY, family, design=design, margin=MARGIN))


def share(flags: Sequence[bool]) -> float:
    return sum(flags) / len(flags)


def differs(comparison: Comparison) -> bool:
    """Tell whether a comparison claims any difference, however small."""
    return comparison.p_holm is not None and comparison.p_holm <= 0.05


def covers(comparison: Comparison, truth: float, *, robust: bool = False) -> bool:
    effect = comparison.robust if robust else comparison.effect
    return effect is not None and effect.low <= truth <= effect.high


@pytest.mark.parametrize("count", [6, 10, 20])
def test_an_interval_within_blocks_covers_the_ratio_and_an_a_a_pair_finds_nothing(count: int) -> None:
    random = np.random.default_rng(count)
    same = [verdicts(each, [(0, 1)])[0] for each in blocks(random, count=count, ratios=(1, 1))]
    slower = [verdicts(each, [(0, 1)])[0] for each in blocks(random, count=count, ratios=(1, 1.1))]
    twice = [verdicts(each, [(0, 1)])[0] for each in blocks(random, count=count, ratios=(1, 1.25))]

    coverage = share([covers(each, 1.1) for each in slower])
    by_ranks = share([covers(each, 1.1, robust=True) for each in slower])
    claimed = share([differs(each) for each in same])
    beyond = share([each.relation in {Relation.SLOWER, Relation.FASTER} for each in same])
    print(  # noqa: T201 - the figures are the point
        f"\n{count} blocks: covers {coverage:.1%} (by ranks {by_ranks:.1%}); A/A: "
        f"a difference in {claimed:.1%}, slower or faster in {beyond:.1%}, equivalent in "
        f"{share([each.relation is Relation.EQUIVALENT for each in same]):.1%}; "
        f"10 % slower: a difference in {share([differs(each) for each in slower]):.1%}, "
        f"slower in {share([each.relation is Relation.SLOWER for each in slower]):.1%}; "
        f"25 % slower: slower in {share([each.relation is Relation.SLOWER for each in twice]):.1%}"
    )

    assert coverage >= 0.93
    assert by_ranks >= 0.93
    assert claimed <= 0.05 + sampling_error(0.05)
    assert beyond <= claimed
    assert share([differs(each) for each in slower]) > {6: 0.6, 10: 0.9, 20: 0.99}[count]
    assert share([each.relation is Relation.SLOWER for each in twice]) > {6: 0.75, 10: 0.97, 20: 0.99}[count]


def test_holm_keeps_the_level_of_all_six_pairs_together() -> None:
    random = np.random.default_rng(64)
    pairs = [(first, second) for first in range(4) for second in range(first + 1, 4)]

    same = [verdicts(each, pairs) for each in blocks(random, count=10, ratios=(1, 1, 1, 1))]
    one = [verdicts(each, pairs) for each in blocks(random, count=10, ratios=(1, 1, 1, 1.3))]
    edge = [verdicts(each, pairs) for each in blocks(random, count=10, ratios=(1, 1, 1, 1 + MARGIN))]

    family = share([any(map(differs, each)) for each in same])
    plain = share([any((pair.p_value or 0) <= 0.05 for pair in each) for each in same])
    false = share([any(differs(pair) for pair in each if pair.current != "3") for each in one])
    found = share([all(differs(pair) for pair in each if pair.current == "3") for each in one])
    too_far = share([any(pair.relation is Relation.SLOWER for pair in each) for each in edge])
    print(  # noqa: T201 - as above
        f"\nsix pairs of four equal configurations: any difference in {family:.1%} "
        f"(without Holm {plain:.1%}); one 30 % slower: all three "
        f"differences found in {found:.1%}, a false one beside in {false:.1%}; "
        f"one slower by just the margin: called slower in {too_far:.1%}"
    )

    assert family <= 0.05 + sampling_error(0.05)
    assert plain > 0.1
    assert false <= 0.05 + sampling_error(0.05)
    assert too_far <= 0.05 + sampling_error(0.05)
    assert found > 0.95


def test_two_runs_on_a_machine_that_stays_the_same_are_covered_and_on_one_that_drifts_are_not() -> None:
    random = np.random.default_rng(2)
    steady = 0.1 * np.exp(0.04 * random.standard_normal((EXPERIMENTS, 2, 10)))
    drifting = 0.1 * np.exp(
        drift(random, trials=20).reshape(EXPERIMENTS, 2, 10)
        + 0.04 * random.standard_normal((EXPERIMENTS, 2, 10))
    )

    calm = [verdicts(each, [(0, 1)], Design.RUNS)[0] for each in steady]
    moved = [verdicts(each, [(0, 1)], Design.RUNS)[0] for each in drifting]
    coverage, by_ranks = (
        share([covers(each, 1) for each in calm]),
        share([covers(each, 1, robust=True) for each in calm]),
    )
    print(  # noqa: T201 - as above
        f"\ntwo runs of 10: covers {coverage:.1%} (by ranks {by_ranks:.1%}) where the machine "
        f"stays the same; one after the other on one that drifts: "
        f"{share([covers(each, 1) for each in moved]):.1%}"
    )

    assert coverage >= 0.93
    assert by_ranks >= 0.93
    assert share([covers(each, 1) for each in moved]) < 0.7  # why two configurations belong in one run


@pytest.mark.parametrize("bad_share", [0.0002, 0.002, 0.02])
def test_shares_of_bad_events_are_covered_from_rare_to_frequent(bad_share: float) -> None:
    """Bad events come in bursts: each trial has a share of its own, gamma-distributed with shape 2."""
    random = np.random.default_rng(round(1 / bad_share))
    shares = bad_share / 2 * random.gamma(2, size=(EXPERIMENTS, 2, 6))
    bad = random.binomial(1350, np.minimum(shares, 1)).tolist()

    found: list[Comparison] = []
    for before, after in bad:
        sides = (
            {block: Counts(good=1350 - count, total=1350) for block, count in enumerate(side)}
            for side in (before, after)
        )
        family = {("a", "b"): of_errors(*sides, design=Design.BLOCKS)}
        found += judge(ERRORS, family, design=Design.BLOCKS, margin=0.0025)
    coverage, claimed = share([covers(each, 0) for each in found]), share([differs(each) for each in found])
    print(f"\n{bad_share:.2%} bad: covers {coverage:.1%}, a difference in {claimed:.1%}")  # noqa: T201

    assert coverage >= 0.93
    assert claimed <= 0.05 + sampling_error(0.05)
