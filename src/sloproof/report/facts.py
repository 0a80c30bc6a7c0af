"""What was run on what, as names and texts; it knows no verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sloproof.report.calibration import calibration_facts, stability_facts
from sloproof.report.text import asks, duration, setting

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from sloproof.analysis.capacity.result import Search
    from sloproof.analysis.results import Plan, Results, Traffic

LIMITS = ("cpus", "cpuset", "memory")


def facts(results: Results) -> Iterator[tuple[str, str]]:
    """Yield what a reader needs to run it again, or to doubt it: a name and a text each."""
    machine = results.environment
    hardware = f"{machine['cpus']} × {machine['cpu']}, {machine['memory_bytes'] / 2**30:.0f} GiB"
    yield "machine", f"{hardware}, {machine['machine']}, {machine['kernel']}"
    yield from _machine_facts(machine)
    yield "load average at the start", " ".join(map(str, machine["load_average"]))
    yield from stability_facts(results.plan.calibration)
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
    yield "Prometheus", results.plan.prometheus
    yield from calibration_facts(results.plan.calibration)
    yield "backend", f"{results.plan.backend}: {results.plan.backend_reason}"
    yield from _subject_facts(results.plan)
    yield (
        "subject's settings",
        ", ".join(f"{name}={value}" for name, value in results.plan.env.items()) or "none",
    )
    for number, traffic in enumerate(traffics(results.plan)):
        yield "traffic" if not number else "", traffic
    if results.plan.load_workers > 1:
        yield "load workers", str(results.plan.load_workers)
    if search := results.plan.search:
        yield "search", searched(search)
        yield "seed", str(results.plan.seed)
    else:
        yield "blocks and seed", f"{results.plan.blocks}, {results.plan.seed}"
    if looks := results.plan.looks:
        after = ", ".join(map(str, looks))
        yield "looked at", f"after {after} blocks: fixed beforehand, and verdicts and intervals allow for it"
    if results.set_aside:
        yield "set aside", f"{results.set_aside} trials of blocks that were interrupted, and run again whole"
    for objective in results.objectives:
        yield objective.name, f"{asks(objective)}. {objective.description}"


def _machine_facts(machine: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield how the machine keeps time, and what it grants; older runs did not look."""
    governor, boost = machine.get("governor"), machine.get("boost")
    said = {
        "governor": governor,
        "boost": None if boost is None else ("on" if boost else "off"),
        "clock source": machine.get("clock_source"),
    }
    if known := [f"{name} {value}" for name, value in said.items() if value is not None]:
        yield "processors and clock", ", ".join(known)
    limits = machine.get("limits") or {}
    ran = ["in a container"] if machine.get("container") else []
    if (cpus := limits.get("cpus")) is not None:
        ran.append(f"limited to {cpus:g} processors")
    if (memory_bytes := limits.get("memory_bytes")) is not None:
        ran.append(f"limited to {memory_bytes / 2**20:,.0f} MiB")
    if ran:
        yield "sloproof ran", ", ".join(ran)


def _subject_facts(plan: Plan) -> Iterator[tuple[str, str]]:
    if plan.backend != "docker":
        yield "subject", " ".join(plan.command)
        return
    digests = plan.subject.get("digests", {})  # older runs did not ask for them
    for source, image in plan.subject["images"].items():
        digest = digests.get(source)
        yield "image", f"{source}: {image}{f', {digest}' if digest else ''}"
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
    rate = f"{traffic.rate_per_s:g} requests/s"
    warmup = f"{setting(traffic.warmup_s)} of warm-up"
    if search is not None:
        rate = f"{search.from_per_s:g} to {search.to_per_s:g} requests/s"
    elif traffic.shape != "constant":
        rate, warmup = f"{traffic.shape}, {traffic.requests:,} requests", f"{warmup} at {rate}"
    return (
        f"{rate} ({traffic.arrival} arrivals, open loop) for {setting(traffic.load_s)} after {warmup}, "
        f"on {traffic.users} connections"
    )
