"""Ask a Prometheus over its HTTP API; it knows nothing of objectives."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, cast

import httpx

from sloproof.slo.problems import EnvironmentFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from sloproof.observe.address import Address

# Longer than a Prometheus lets a query run by default, so that it is the one to say so.
ANSWER_WITHIN_S = 130.0
LONGEST = 200  # characters of a query in a message
SECONDS_PER_UNIT = {"y": 31_536_000, "w": 604_800, "d": 86_400, "h": 3_600, "m": 60, "s": 1, "ms": 0.001}
DURATION = re.compile(r"([0-9]+)(ms|[ywdhms])")
Json = dict[str, "Json"] | list["Json"] | str | float | bool | None


class PrometheusError(EnvironmentFailed):
    """A Prometheus did not say what it was asked."""


class UnreachableError(PrometheusError):
    """No Prometheus answers at an address, or none that lets us in."""


class QueryError(PrometheusError):
    """A Prometheus refused a query (it is `wrong`), or could not answer it: too much, too slow."""

    def __init__(self, message: str, *, wrong: bool) -> None:
        super().__init__(message)
        self.wrong = wrong


@dataclass(frozen=True, slots=True)
class Sample:
    """The value of one series at the moment that was asked for; NaN and infinity are values too."""

    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a Prometheus scrapes, by the labels that its series carry; an unknown interval is ``None``."""

    job: str
    instance: str
    scrape_interval_s: float | None
    up: bool


class Prometheus:
    """A Prometheus, or whatever speaks its API; leaving the context closes the connection."""

    def __init__(self, address: Address, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self.address = address
        self._http = address.client(timeout_s=answer_within_s)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._http.close()

    def query(self, promql: str, *, at_s: float | None = None) -> list[Sample]:
        """Return the series that a query gives at a moment (Unix time), by default at its own now.

        A number without series comes as one sample without labels.
        """
        form = {"query": promql} if at_s is None else {"query": promql, "time": f"{at_s:.3f}"}
        data = _mapping(self._ask("query", form))
        match data.get("resultType"), data.get("result"):
            case "vector", list(series):
                return [_sample(_mapping(each)) for each in series]
            case "scalar", [_, str(value)]:
                return [Sample({}, float(value))]
            case kind, _:
                raise QueryError(f"gives a {kind} where series are wanted: {_short(promql)}", wrong=True)

    def number(self, promql: str, *, at_s: float | None = None) -> float | None:
        """Return the value of the only series that a query gives; ``None``: there is none, or a NaN.

        Raises:
            QueryError: it gives several.

        """
        match self.query(promql, at_s=at_s):
            case []:
                return None
            case [sample]:
                return None if math.isnan(sample.value) else sample.value
            case several:
                raise QueryError(
                    f"gives {len(several)} series where one is wanted: {_short(promql)}", wrong=True
                )

    def history(self, promql: str, *, at_s: float) -> list[tuple[dict[str, str], list[tuple[float, float]]]]:
        """Return each series of a selector with a range, as it was scraped: moments (Unix time) and values.

        Raises:
            QueryError: it has no range.

        """
        data = _mapping(self._ask("query", {"query": promql, "time": f"{at_s:.3f}"}))
        if data.get("resultType") != "matrix" or not isinstance(data.get("result"), list):
            raise QueryError(f"gives no samples over time: {_short(promql)}", wrong=True)
        return [_series(_mapping(each)) for each in cast("list[Json]", data["result"])]

    def now_s(self) -> float:
        """Return the moment by its own clock, as Unix time."""
        now = self.number("time()")
        if now is None:
            raise UnreachableError(f"{self.address}: no Prometheus answers there: it does not know the time")
        return now

    def retention_s(self) -> int | None:
        """Return for how long samples are kept at most; ``None``: no limit in time, or it does not say."""
        told = self._state("runtimeinfo").get("storageRetention")
        return retention_s(str(told or self.flags().get("storage.tsdb.retention.time", "")))

    def targets(self) -> list[Target]:
        """Return what it scrapes; nothing where it does not say."""
        try:
            data = _mapping(self._ask("targets", {"state": "active"}, get=True))
        except UnreachableError:
            return []
        found = data.get("activeTargets")
        return [_target(_mapping(each)) for each in found] if isinstance(found, list) else []

    def metrics(self) -> list[str]:
        """Return the names of all metrics that it has."""
        found = self._ask("label/__name__/values", {}, get=True)
        return [str(each) for each in found] if isinstance(found, list) else []

    def flags(self) -> dict[str, str]:
        """Return the settings it was started with; nothing where it does not say."""
        return {name: str(value) for name, value in self._state("flags").items()}

    def _state(self, what: str) -> dict[str, Json]:
        """Return a status page, which servers that only speak the same API do not have."""
        try:
            return _mapping(self._ask(f"status/{what}", {}, get=True))
        except UnreachableError:
            return {}

    def _ask(self, what: str, form: Mapping[str, str], *, get: bool = False) -> Json:
        url = f"{self.address.url}/api/v1/{what}"
        try:
            response = self._http.get(url, params=form) if get else self._http.post(url, data=dict(form))
            if response.status_code == httpx.codes.METHOD_NOT_ALLOWED and not get:
                response = self._http.get(url, params=form)
        except httpx.TimeoutException:
            raise UnreachableError(f"{self.address}: no Prometheus answers there in time") from None
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{self.address}: no Prometheus answers there: {error}") from None
        return self._data(response, form.get("query", what))

    def _data(self, response: httpx.Response, asked: str) -> Json:
        if response.status_code in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
            raise UnreachableError(
                f"{self.address}: it refuses us (HTTP {response.status_code}): "
                "give credentials, as in http://name:password@host"
            )
        try:
            answer = response.json()
        except ValueError:
            answer = None
        match answer:
            case {"status": "success", "data": data}:
                return cast("Json", data)
            case {"status": "error", "errorType": kind, "error": reason}:
                raise QueryError(f"{reason}: {_short(asked)}", wrong=kind == "bad_data")
            case _:
                what = f"something else (HTTP {response.status_code})"
                raise UnreachableError(f"{self.address}: no Prometheus answers there, but {what}")


def read_metrics(address: Address) -> str:
    """Return what a service exposes at an address, in the text format.

    Raises:
        UnreachableError: it does not answer, or not with that.

    """
    with address.client(timeout_s=30) as http:
        try:
            response = http.get(address.url, headers={"Accept": "text/plain;version=0.0.4"})
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UnreachableError(f"{address}: no metrics can be read there: {error}") from None
    if response.status_code != httpx.codes.OK:
        raise UnreachableError(
            f"{address}: no metrics can be read there: it answers HTTP {response.status_code}"
        )
    return response.text


def retention_s(text: str) -> int | None:
    """Return the seconds of a retention as a Prometheus tells it; a limit of size alone has none.

    >>> retention_s("15d"), retention_s("1w2d or 512MB"), retention_s("10GB")
    (1296000, 777600, None)
    """
    time = text.partition(" or ")[0]
    parts = DURATION.findall(time)
    if not parts or "".join(map("".join, parts)) != time:
        return None
    return round(sum(int(count) * SECONDS_PER_UNIT[unit] for count, unit in parts)) or None


def _short(promql: str) -> str:
    line = " ".join(promql.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _sample(series: dict[str, Json]) -> Sample:
    labels = {name: str(value) for name, value in _mapping(series.get("metric")).items()}
    match series.get("value"):
        case [_, str(value)]:
            return Sample(labels, float(value))
        case _:  # a native histogram: there, and no number
            return Sample(labels, math.nan)


def _series(data: dict[str, Json]) -> tuple[dict[str, str], list[tuple[float, float]]]:
    labels = {name: str(value) for name, value in _mapping(data.get("metric")).items()}
    samples = cast("list[tuple[float, str]]", data.get("values", []))  # none for a native histogram
    return labels, [(float(moment), float(value)) for moment, value in samples]


def _target(data: dict[str, Json]) -> Target:
    labels = _mapping(data.get("labels"))
    interval = DURATION.findall(str(data.get("scrapeInterval", "")))
    return Target(
        job=str(labels.get("job", "")),
        instance=str(labels.get("instance", "")),
        scrape_interval_s=sum(int(n) * SECONDS_PER_UNIT[unit] for n, unit in interval) or None,
        up=data.get("health") == "up",
    )
