"""Whether a Prometheus keeps samples for long enough, and takes enough of them, for the windows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.compile import conventions as names
from sloproof.compile.lint.findings import Level
from sloproof.slo.quantities import in_units

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.compile.lint.given import Live

FEWEST_SCRAPES, SAFE_SCRAPES = 2, 4
"""An increase needs two samples; with four in its window, one or two scrapes may fail."""
RETENTION, SCRAPE, EVALUATION = (
    ("prometheus", key) for key in ("retention", "scrape_interval", "evaluation_interval")
)


def check(source: Source, live: Live | None = None) -> Iterator[Finding]:
    """Yield what is wrong with the windows of a file, by what it, and a Prometheus, say of that."""
    yield from _contradicted(source, live)
    yield from _retention(source, live)
    yield from _scrapes(source, live)
    yield from _period(source)
    yield from _evaluation(source)


def _contradicted(source: Source, live: Live | None) -> Iterator[Finding]:
    if live is None:
        return
    declared = source.definition.prometheus
    pairs = (
        (RETENTION, declared.retention_s, live.retention_s, "keeps samples for"),
        (SCRAPE, declared.scrape_interval_s, live.scrape_interval_s, "scrapes the service every"),
    )
    for key, said_s, is_s, does in pairs:
        if source.has(*key) and said_s is not None and is_s is not None and said_s != is_s:
            yield source.finding(
                source.line(*key),
                Level.WARNING,
                what=f"{'.'.join(key)} is {in_units(said_s)}, which is not so",
                because=f"the Prometheus at {live.name} {does} {in_units(is_s)}",
                cure=f"write {key[-1]}: {in_units(is_s)}, or change the Prometheus",
            )


def _retention(source: Source, live: Live | None) -> Iterator[Finding]:
    retention_s, origin = source.definition.prometheus.retention_s, "prometheus.retention is"
    if live is not None and live.retention_s is not None:
        retention_s, origin = live.retention_s, f"the Prometheus at {live.name} keeps samples for"
    if retention_s is None:
        return
    because = f"{origin} {in_units(retention_s)}"
    for index, objective in source.objectives():
        if objective.window_s > retention_s:
            window, key = in_units(int(objective.window_s)), ("objectives", index, "window")
            own = f" of '{objective.name}'" if source.has(*key) else ""
            yield source.finding(
                source.line(*(key if own else ("window",))),  # once where objectives share it
                Level.ERROR,
                what=f"the window{own}, {window}, is longer than samples are kept",
                because=because,
                cure=(
                    f"keep them for {window} (--storage.tsdb.retention.time={window}), or choose a window of "
                    f"{in_units(retention_s)} or less"
                ),
            )
        longest = max(objective.alerting.tiers, key=lambda tier: tier.long_s, default=None)
        if longest is not None and longest.long_s > retention_s:
            yield source.finding(
                objective.line,
                Level.ERROR,
                what=(
                    f"the long window of the tier '{longest.name}' of '{objective.name}', "
                    f"{in_units(longest.long_s)}, is longer than samples are kept"
                ),
                because=because,
                cure=f"keep them for {in_units(longest.long_s)} or more, or disable the tier",
            )


def _scrapes(source: Source, live: Live | None) -> Iterator[Finding]:
    interval_s, origin = source.definition.prometheus.scrape_interval_s, "prometheus.scrape_interval is"
    if live is not None and live.scrape_interval_s is not None:
        interval_s, origin = live.scrape_interval_s, f"the Prometheus at {live.name} scrapes it every"
    counted = in_units(names.COUNTED_S)
    short = _Short(source=source, interval_s=interval_s, because=f"{origin} {in_units(interval_s)}")
    yield from short.check(
        names.COUNTED_S,
        f"the {counted} over which events are counted is",
        source.line(*SCRAPE),
        cure=f"scrape every {in_units(names.COUNTED_S // SAFE_SCRAPES)} or more often",
    )
    least = in_units(SAFE_SCRAPES * interval_s)
    for index, objective in source.objectives():
        for tier in objective.alerting.tiers:
            yield from short.check(
                tier.short_s,
                f"the short window of '{tier.name}' of '{objective.name}', {in_units(tier.short_s)}, is",
                source.tier_line(index, tier),
                cure=f"give alerting.tiers in which it is {least} or more, disable it, or scrape more often",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Short:
    """How often samples are taken, and by whose word."""

    source: Source
    interval_s: int
    because: str

    def check(self, window_s: int, subject: str, line: int, *, cure: str) -> Iterator[Finding]:
        if window_s < FEWEST_SCRAPES * self.interval_s:
            level, least, so = Level.ERROR, FEWEST_SCRAPES, "and an increase needs two samples"
        elif window_s < SAFE_SCRAPES * self.interval_s:
            level, least, so = Level.WARNING, SAFE_SCRAPES, "so that a failed scrape or two leave it empty"
        else:
            return
        yield self.source.finding(
            line,
            level,
            what=f"{subject} under {least} scrape intervals",
            because=f"{self.because}, {so}",
            cure=cure,
        )


def _period(source: Source) -> Iterator[Finding]:
    for index, objective in source.objectives():
        if objective.window_s <= names.COUNTED_S:
            window = in_units(int(objective.window_s))
            yield source.finding(
                source.line("objectives", index, "window"),
                Level.ERROR,
                what=f"the window of '{objective.name}', {window}, is too short for rules",
                because=f"they count events over {in_units(names.COUNTED_S)} at a time",
                cure="choose a window of 1h or more",
            )


def _evaluation(source: Source) -> Iterator[Finding]:
    interval_s = source.definition.prometheus.evaluation_interval_s
    if interval_s > names.COUNTED_S:
        yield source.finding(
            source.line(*EVALUATION),
            Level.ERROR,
            what="events between two evaluations are never counted",
            because=(
                f"prometheus.evaluation_interval is {in_units(interval_s)}, and each evaluation counts the "
                f"last {in_units(names.COUNTED_S)}"
            ),
            cure="evaluate every 1m or more often",
        )
