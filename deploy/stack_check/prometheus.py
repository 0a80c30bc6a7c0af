"""What a Prometheus says over its HTTP API; it knows no rule and no dashboard."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import TracebackType

    from deploy.stack_check.images import Json

ANSWERED_WITHIN_S = 10
RANGE_S, STEP_S = 900, 15


class QueryError(Exception):
    """Prometheus refused, in its own words."""


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A Prometheus server; close it by leaving its context."""

    client: httpx.Client

    @classmethod
    def at(cls, url: str) -> Self:
        """Return the server at a base URL, which is not asked anything yet."""
        return cls(httpx.Client(base_url=url, timeout=ANSWERED_WITHIN_S, trust_env=False))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()

    def ready(self) -> bool:
        """Return whether it answers queries."""
        try:
            return self.client.get("/-/ready").is_success
        except httpx.HTTPError:
            return False

    def targets(self) -> list[Json]:
        """Return the active targets."""
        targets: list[Json] = self._ask("/api/v1/targets", {"state": "active"})["activeTargets"]
        return targets

    def alertmanagers(self) -> list[str]:
        """Return the addresses of the Alertmanagers that alerts are sent to."""
        return [each["url"] for each in self._ask("/api/v1/alertmanagers", {})["activeAlertmanagers"]]

    def rule_groups(self) -> list[Json]:
        """Return the groups of rules that are loaded."""
        groups: list[Json] = self._ask("/api/v1/rules", {})["groups"]
        return groups

    def values(self, expression: str) -> Iterator[tuple[Mapping[str, str], float]]:
        """Yield labels and value of each series that an expression has now, except where it is no number."""
        for series in self.instant(expression):
            value = float(series["value"][1])
            if not math.isnan(value):
                yield series["metric"], value

    def instant(self, expression: str) -> list[Json]:
        """Return the series of an expression that is a vector now; a scalar is one without labels."""
        data = self._ask("/api/v1/query", {"query": expression})
        return [{"metric": {}, "value": data["result"]}] if data["resultType"] == "scalar" else data["result"]

    def over_time(self, expression: str, *, now_s: float) -> list[Json]:
        """Return the series of an expression over the last quarter of an hour."""
        span = {"start": f"{now_s - RANGE_S:.3f}", "end": f"{now_s:.3f}", "step": str(STEP_S)}
        series: list[Json] = self._ask("/api/v1/query_range", {"query": expression, **span})["result"]
        return series

    def label_values(self, label: str, selector: str | None) -> list[str]:
        """Return the values of a label, of the series that a selector has if one is given."""
        matching = {"match[]": selector} if selector else {}
        return list(self._ask(f"/api/v1/label/{label}/values", matching))

    def _ask(self, path: str, parameters: Mapping[str, str]) -> Json:
        try:
            answer = self.client.get(path, params=parameters)
            body = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise QueryError(f"{path}: {error}") from error
        if body["status"] != "success":
            raise QueryError(body["error"])
        return body["data"]
