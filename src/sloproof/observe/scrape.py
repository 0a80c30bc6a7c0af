"""One reading of a subject's `/metrics`, and what its counters gained between two readings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from prometheus_client.parser import text_string_to_metric_families

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

COUNTER_ENDINGS = ("_total", "_count", "_bucket")

Labels = frozenset[tuple[str, str]]
Series = tuple[str, Labels]


class ScrapeError(ValueError):
    """A reading is not in the Prometheus text format, or two readings contradict each other."""


@dataclass(frozen=True, slots=True)
class Scrape:
    """The value of every series at one moment, or the gain of every counter between two moments."""

    values: Mapping[Series, float]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read the Prometheus text format.

        Raises:
            ScrapeError: `text` is something else.

        """
        try:
            samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        except ValueError as error:
            raise ScrapeError(f"not in the Prometheus text format: {error}") from error
        return cls({(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples})

    def since(self, before: Self) -> Self:
        """Return the gain of every series since `before`; a series that is new counts from zero.

        Raises:
            ScrapeError: a counter went down, so the subject lost what it had counted.

        """
        gains = {series: value - before.values.get(series, 0.0) for series, value in self.values.items()}
        for (name, _), gain in gains.items():
            if gain < 0 and name.endswith(COUNTER_ENDINGS):
                raise ScrapeError(f"{name} went down by {-gain:g}: the subject lost what it had counted")
        return type(self)(gains)

    def has(self, name: str) -> bool:
        """Return whether any series has this name."""
        return any(series_name == name for series_name, _ in self.values)

    def select(
        self, name: str, **matchers: Callable[[str], bool] | str
    ) -> Iterator[tuple[dict[str, str], float]]:
        """Yield labels and value of each series of `name` whose labels all match.

        A matcher is the label's exact value or a predicate on it; a label that a series lacks is empty.
        """
        for (series_name, labels), value in self.values.items():
            if series_name != name:
                continue
            named = dict(labels)
            if all(_matches(matcher, named.get(label, "")) for label, matcher in matchers.items()):
                yield named, value

    def total(self, name: str, **matchers: Callable[[str], bool] | str) -> float:
        """Return the sum over the series that `select` yields; 0 when there is none."""
        return sum(value for _, value in self.select(name, **matchers))


def _matches(matcher: Callable[[str], bool] | str, value: str) -> bool:
    return matcher == value if isinstance(matcher, str) else matcher(value)
