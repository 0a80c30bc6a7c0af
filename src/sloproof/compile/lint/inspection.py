"""All that a lint knows, applied to SLO files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sloproof.compile.lint import buckets, links, matches, names, queries, tiers, traffic, windows

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from decimal import Decimal
    from pathlib import Path

    from sloproof.compile.lint.findings import Finding, Source
    from sloproof.compile.lint.given import Exposition, Live


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What is known beside the files; `live` is what a Prometheus says of each of them."""

    seen_events: Collection[str]
    traffic_per_s: Decimal | None = None
    exposed: Exposition | None = None
    live: Mapping[Path, Live] | None = None


def inspect(sources: Sequence[Source], given: Given) -> list[Finding]:
    """Return every finding, once each: file by file, in the order of the lines."""
    found = [finding for source in sources for finding in _of_one(source, given)]
    found += names.check(sources)
    order = {source.path: number for number, source in enumerate(sources)}
    return sorted(dict.fromkeys(found), key=lambda each: (order[each.path], each.line, each.column or 0))


def _of_one(source: Source, given: Given) -> Iterator[Finding]:
    live = (given.live or {}).get(source.path)
    yield from tiers.check(source)
    yield from windows.check(source, live)
    yield from queries.check(source)
    yield from links.check(source, seen_events=given.seen_events)
    if given.traffic_per_s is not None:
        yield from traffic.check(source, lambda _: given.traffic_per_s)
    elif live is not None:
        yield from traffic.check(source, live.traffic.get, measured=True)
    if given.exposed is not None:
        yield from buckets.check(source, given.exposed)
    if live is not None:
        yield from matches.check(source, live)
