"""The dialogue with a Prometheus in which the beginning of an objective's data is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sloproof.compile.status import Search
    from sloproof.observe.prometheus import Prometheus


def covered(prometheus: Prometheus, search: Search) -> int:
    """Return for how many seconds up to now there have been data, to the second; 0: there are none."""
    while not search.is_over:
        search = search.narrowed(prometheus.number(search.query, at_s=search.until_s))
    return search.covered_s
