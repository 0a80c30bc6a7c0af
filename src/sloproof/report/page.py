"""The report as one HTML file that opens from disk: it needs no server and fetches nothing."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from importlib import resources
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sloproof.analysis.verdicts import Verdict
from sloproof.report.text import asks, duration, percent, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloproof.analysis.counts import Counts
    from sloproof.analysis.results import ConfigurationResult, Plan, Results, Traffic, TrialResult

ASSETS = "assets"
LIMITS = ("cpus", "cpuset", "memory", "read_only")
SYMBOLS = {Verdict.MET.name: "✓", Verdict.VIOLATED.name: "✗", Verdict.INCONCLUSIVE.name: "?"}


def page(results: Results) -> str:
    """Return the whole report as HTML."""
    charts = [{**chart, "id": f"chart-{n}"} for n, chart in enumerate(_charts(results))]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            results=results,
            headline=headline(results),
            traffic="; ".join(_traffics(results.plan)),
            trials=_trials(results),
            started=datetime.fromisoformat(results.started_at).astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            confidence=_confidence(results),
            symbols=SYMBOLS,
            notes=list(_notes(results)),
            charts=charts,
            chart_data=charts,
            quantiles=_quantiles(results),
            facts=list(_facts(results)),
            uplot_css=_asset("uplot.css"),
            uplot_js=_asset("uplot.js"),
            css=_asset("report.css"),
            js=_asset("report.js"),
        )
    )


def headline(results: Results) -> str:
    """Return the answer of the run in one sentence."""
    if not results.configurations or all(each.valid_trials == 0 for each in results.configurations):
        return "No valid measurement: nothing can be said."
    groups = {
        verdict: [each.id for each in results.configurations if _worst(each) is verdict]
        for verdict in Verdict
    }
    parts = []
    if met := groups[Verdict.MET]:
        parts.append(f"{_all_of(met, results)} every objective")
    if violated := groups[Verdict.VIOLATED]:
        parts.append(f"{_listed(violated)} {'violates' if len(violated) == 1 else 'violate'} at least one")
    if undecided := groups[Verdict.INCONCLUSIVE]:
        parts.append(f"{_listed(undecided)} {'is' if len(undecided) == 1 else 'are'} undecided")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _worst(configuration: ConfigurationResult) -> Verdict:
    verdicts = {objective.verdict for objective in configuration.objectives}
    return next(each for each in (Verdict.VIOLATED, Verdict.INCONCLUSIVE, Verdict.MET) if each in verdicts)


def _all_of(ids: list[str], results: Results) -> str:
    if len(ids) == len(results.configurations) > 1:
        return f"all {len(ids)} configurations meet"
    return f"{_listed(ids)} {'meets' if len(ids) == 1 else 'meet'}"


def _listed(ids: list[str]) -> str:
    return ids[0] if len(ids) == 1 else f"{', '.join(ids[:-1])} and {ids[-1]}"


def _trials(results: Results) -> str:
    invalid = sum(not trial.valid for trial in results.trials)
    counted = f"{len(results.trials) - invalid} valid trials of {results.plan.trials} planned"
    unfinished = "" if results.complete else ", run not finished"
    return f"{counted}{f', {invalid} invalid' if invalid else ''}{unfinished}"


def _confidence(results: Results) -> str:
    intervals = [each.interval for c in results.configurations for each in c.objectives if each.interval]
    return percent(min(interval.confidence_ratio for interval in intervals)) if intervals else "95 %"


def _notes(results: Results) -> Iterator[str]:
    for configuration in results.configurations:
        for objective in configuration.objectives:
            if objective.verdict is Verdict.VIOLATED:
                finding = f"; {objective.finding}" if objective.finding else ""
                yield f"{configuration.id}, {objective.name}: {objective.reason}{finding}"
    if invalid := [trial for trial in results.trials if not trial.valid]:
        first = invalid[0]
        yield (
            f"{len(invalid)} of {len(results.trials)} trials were invalid and count for integrity alone; "
            f"{first.folder}, for one: {first.problems[0]}"
        )


def _charts(results: Results) -> Iterator[dict[str, Any]]:
    thresholds = {each.endpoint: each for each in results.objectives if each.endpoint}
    endpoints = dict.fromkeys(each.endpoint for c in results.configurations for each in c.endpoints)
    for endpoint in endpoints:
        series: list[dict[str, Any]] = [
            {
                "name": configuration.id,
                "points": [(_nines(q), 1e3 * s) for q, s in each.curve if math.isfinite(s)],
            }
            for configuration in results.configurations
            for each in configuration.endpoints
            if each.endpoint == endpoint
        ]
        objective = thresholds.get(endpoint)
        yield {
            "title": f"{endpoint} · {asks(objective)}" if objective else endpoint,
            "threshold_ms": objective.threshold_s * 1e3 if objective and objective.threshold_s else None,
            "target_x": _nines(float(objective.target)) if objective and objective.target else None,
            "x_max": max((x for each in series for x, _ in each["points"]), default=3.0),
            "series": series,
        }


def _nines(q: float) -> float:
    """Return where a quantile stands on the axis: 1 for p90, 2 for p99, 3 for p99.9."""
    return -math.log10(1 - q)


def _quantiles(results: Results) -> list[str]:
    for configuration in results.configurations:
        for endpoint in configuration.endpoints:
            return [f"p{100 * percentile.q:g}" for percentile in endpoint.percentiles]
    return []


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    machine = results.environment
    hardware = f"{machine['cpus']} × {machine['cpu']}, {machine['memory_bytes'] / 2**30:.0f} GiB"
    yield "machine", f"{hardware}, {machine['kernel']}"
    yield (
        "versions",
        ", ".join(
            f"{name} {number}"
            for name, number in {"Python": machine["python"], **machine["packages"]}.items()
            if number
        ),
    )
    yield (
        "commit",
        f"{machine['commit'] or 'unknown'}{' with uncommitted changes' if machine['changed'] else ''}",
    )
    yield "backend", f"{results.plan.backend}: {results.plan.backend_reason}"
    yield "subject", " ".join(results.plan.command) or "a container"
    yield from _container_facts(results.plan)
    yield (
        "subject's settings",
        ", ".join(f"{name}={value}" for name, value in results.plan.env.items()) or "none",
    )
    for number, traffic in enumerate(_traffics(results.plan)):
        yield "traffic" if not number else "", traffic
    yield "blocks and seed", f"{results.plan.blocks}, {results.plan.seed}"
    for objective in results.objectives:
        yield objective.name, f"{asks(objective)}. {objective.description}"


def _container_facts(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.backend != "docker":
        return
    for source, image in plan.subject["images"].items():
        yield "image", f"{source}: {image}"
    yield "engine", ", ".join(f"{name} {value}" for name, value in plan.subject["engine"].items())
    yield (
        "limits",
        ", ".join(f"{name} {value}" for name, value in (plan.container or {}).items() if name in LIMITS),
    )
    cost = plan.calibration["port_proxy"]
    yield (
        "port proxy",
        f"not measured: {cost}"
        if isinstance(cost, str)
        else f"adds {duration(cost['added_median_s'])} to the median request and "
        f"{duration(cost['added_p99_s'])} to the p99 ({cost['requests']} requests each way, one at a time, "
        "before the first trial)",
    )


def _traffics(plan: Plan) -> list[str]:
    if not plan.profiles:
        return [_traffic(plan.traffic)]
    return [f"{name}: {_traffic(traffic)}" for name, traffic in plan.profiles.items()]


def _traffic(traffic: Traffic) -> str:
    return (
        f"{traffic.rate_per_s:g} requests/s ({traffic.arrival} arrivals, open loop) for "
        f"{setting(traffic.load_s)} after {setting(traffic.warmup_s)} of warm-up, "
        f"on {traffic.users} connections"
    )


def _bounds(bounds: tuple[float, float | None]) -> str:
    low, high = bounds
    return f"over {duration(low)}" if high is None else f"{duration(low)} – {duration(high)}"


def _counts(counts: Counts | None) -> str:
    return "–" if counts is None else f"{counts.good:,} of {counts.total:,}"


def _sli(counts: Counts | None) -> str:
    return "–" if counts is None or counts.ratio is None else percent(counts.ratio)


def _build(labels: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {value}" for name, value in sorted(labels.items()))


def _outside(trial: TrialResult) -> float:
    return sum(seconds for part, seconds in trial.seconds.items() if part not in ("warm-up", "load"))


def _asset(name: str) -> str:
    return resources.files(__package__).joinpath(ASSETS, name).read_text(encoding="utf-8")


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__, ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    environment.filters.update(
        asks=asks,
        percent=percent,
        duration=duration,
        bounds=_bounds,
        counts=_counts,
        sli=_sli,
        build=_build,
        outside=_outside,
    )
    return environment
