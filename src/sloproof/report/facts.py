"""What was run on what, as names and texts; it knows no verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sloproof.report.text import asks, duration, setting

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sloproof.analysis.capacity.result import Search
    from sloproof.analysis.results import Plan, Results, Traffic

LIMITS = ("cpus", "cpuset", "memory")


def facts(results: Results) -> Iterator[tuple[str, str]]:
    """Yield what a reader needs to run it again, or to doubt it: a name and a text each."""
    machine = results.environment
    hardware = f"{machine['cpus']} × {machine['cpu']}, {machine['memory_bytes'] / 2**30:.0f} GiB"
    yield "machine", f"{hardware}, {machine['machine']}, {machine['kernel']}"
    yield "load average at the start", " ".join(map(str, machine["load_average"]))
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
    yield from _subject_facts(results.plan)
    yield (
        "subject's settings",
        ", ".join(f"{name}={value}" for name, value in results.plan.env.items()) or "none",
    )
    for number, traffic in enumerate(traffics(results.plan)):
        yield "traffic" if not number else "", traffic
    if search := results.plan.search:
        yield "search", searched(search)
        yield "seed", str(results.plan.seed)
    else:
        yield "blocks and seed", f"{results.plan.blocks}, {results.plan.seed}"
    if results.set_aside:
        yield "set aside", f"{results.set_aside} trials of blocks that were interrupted, and run again whole"
    for objective in results.objectives:
        yield objective.name, f"{asks(objective)}. {objective.description}"


def _subject_facts(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.backend != "docker":
        yield "subject", " ".join(plan.command)
        return
    for source, image in plan.subject["images"].items():
        yield "image", f"{source}: {image}"
    yield "engine", ", ".join(f"{name} {value}" for name, value in plan.subject["engine"].items())
    limits = [f"{name} {value}" for name, value in (plan.container or {}).items() if name in LIMITS]
    yield "limits", ", ".join(limits) or "none"
    cost = plan.calibration["port_proxy"]
    yield (
        "port proxy",
        cost  # why it was not measured
        if isinstance(cost, str)
        else f"adds {duration(cost['added_median_s'])} to the median request and "
        f"{duration(cost['added_p99_s'])} to the p99 ({cost['requests']} requests each way, one at a time, "
        "before the first trial)",
    )


def searched(search: Search) -> str:
    """Return in words what a search was given."""
    demand = (
        "" if search.at_least_per_s is None else f", at least {search.at_least_per_s:g} requests/s demanded"
    )
    return (
        f"each of five rates around the limit tried {search.trials} times, "
        f"all within {duration(search.budget_s)}{demand}"
    )


def traffics(plan: Plan) -> list[str]:
    """Return the traffic in words, once for each profile."""
    if not plan.profiles:
        return [_traffic(plan.traffic, plan.search)]
    return [f"{name}: {_traffic(traffic, plan.search)}" for name, traffic in plan.profiles.items()]


def _traffic(traffic: Traffic, search: Search | None) -> str:
    rate = f"{traffic.rate_per_s:g}" if search is None else f"{search.from_per_s:g} to {search.to_per_s:g}"
    return (
        f"{rate} requests/s ({traffic.arrival} arrivals, open loop) for "
        f"{setting(traffic.load_s)} after {setting(traffic.warmup_s)} of warm-up, "
        f"on {traffic.users} connections"
    )
