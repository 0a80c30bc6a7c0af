"""From what a search has found to what can be said of a configuration; it measures nothing."""

from __future__ import annotations

from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING

from sloproof.analysis.capacity.fit import Fit, Line, fit
from sloproof.analysis.capacity.search import Ending
from sloproof.analysis.verdicts import Verdict

if TYPE_CHECKING:
    from sloproof.analysis.capacity.search import Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """What a search shows: the capacity lies between two bounds, and probably where the estimate is.

    Each bound holds with a confidence of 97.5 %. ``None``: nothing was shown. A search that its generator has
    ended, or the highest rate asked for, has no estimate: all that is known is that it is no less.
    ``binding`` is the objective that is missed first; ``trials`` are those that this rests on.
    """

    ending: Ending
    at_least_per_s: float | None
    estimate_per_s: float | None
    at_most_per_s: float | None
    binding: str | None
    trials: int
    lines: tuple[Line, ...]


def conclude(finding: Finding, *, seed: int) -> Conclusion:
    """Return what a search shows."""
    if finding.ending is Ending.FITTED:
        return _fitted(finding, fit(finding.evidence, seed=seed, capped=finding.capped))
    tested = finding.evidence[0].rate_per_s if finding.shown else None
    missed = finding.ending is Ending.BOTTOM
    return Conclusion(
        ending=finding.ending,
        at_least_per_s=None if missed else tested,
        estimate_per_s=None,
        at_most_per_s=tested if missed else None,
        binding=_furthest(finding) if missed else None,
        trials=len(finding.evidence),
        lines=(),
    )


def _fitted(finding: Finding, fitted: Fit) -> Conclusion:
    ending = finding.ending
    if fitted.beyond and finding.capped:
        ending = Ending.GENERATOR if finding.invalid_per_s else Ending.TOP
    return Conclusion(
        ending=ending,
        at_least_per_s=fitted.at_least_per_s,
        estimate_per_s=fitted.estimate_per_s,
        at_most_per_s=None if fitted.beyond else fitted.at_most_per_s,
        binding=fitted.binding,
        trials=len(finding.evidence),
        lines=fitted.lines,
    )


def _furthest(finding: Finding) -> str | None:
    """Return the objective that most trials missed by most."""
    names = [max(each.margins.items(), key=itemgetter(1))[0] for each in finding.evidence]
    return max(names, key=names.count) if names else None


def judge_capacity(conclusion: Conclusion, *, demanded_per_s: float | None) -> Verdict:
    """Return whether a configuration carries what was demanded of it; without a demand, any capacity found.

    MET: the lower bound is no less. VIOLATED: the upper bound is, or no rate of the search is carried.
    """
    at_least, at_most = conclusion.at_least_per_s, conclusion.at_most_per_s
    if demanded_per_s is None:
        if at_least is not None:
            return Verdict.MET
        return Verdict.VIOLATED if conclusion.ending is Ending.BOTTOM and at_most else Verdict.INCONCLUSIVE
    if at_least is not None and at_least >= demanded_per_s:
        return Verdict.MET
    return Verdict.VIOLATED if at_most is not None and at_most <= demanded_per_s else Verdict.INCONCLUSIVE
