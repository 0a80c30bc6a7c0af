"""How a Prometheus watches one trial: its target comes, is scraped around the load, is asked, and goes."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Protocol

from sloproof.compile.dashboards.experiments import RUN, TRIAL
from sloproof.compile.selectors import Matcher, Selector
from sloproof.experiment.prometheus import setup
from sloproof.experiment.prometheus.inquiry import ask
from sloproof.experiment.prometheus.reading import FILE, READING, Reading, window
from sloproof.files import write_atomically
from sloproof.observe.prometheus import Prometheus, PrometheusError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from sloproof.slo.definition import Definition

POLL_S = 0.05
SLACK_S = 0.5


class Watch(Protocol):
    """Who watches a trial for the third observer; it never fails a trial."""

    def begin(self, port: int) -> None:
        """Take note that the subject is about to start on a port of 127.0.0.1."""
        ...

    def before_load(self) -> None:
        """Take note that nothing is under way, and the load is next."""
        ...

    def after_load(self) -> None:
        """Take note that the load has settled."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unwatched:
    """Nobody does, for a reason that the trial keeps."""

    reason: str
    folder: Path

    def begin(self, port: int) -> None:
        """Do nothing."""

    def before_load(self) -> None:
        """Do nothing."""

    def after_load(self) -> None:
        """Leave the reason in the trial's folder."""
        _write(self.folder, Reading(scrape_interval_s=0, absent=self.reason))


@dataclass(slots=True, kw_only=True)
class PrometheusWatch:
    """A Prometheus of the run does; `targets` is the folder in which it looks for its target.

    `failed` is called with the reason once it no longer answers.
    """

    prometheus: Prometheus
    definition: Definition
    labels: Mapping[str, str]
    scrape_interval_s: float
    targets: Path
    folder: Path
    failed: Callable[[str], None]
    _began_s: float = field(default=0.0, init=False)
    _load_began_s: float | None = field(default=None, init=False)

    def begin(self, port: int) -> None:
        """Announce the target before its start, because Prometheus takes up to 5 s to turn to it.

        Until it listens its scrapes are refused, which costs nobody anything.
        """
        self._began_s = time.time()
        self._announce(setup.target_group(f"127.0.0.1:{port}", self.labels))

    def before_load(self) -> None:
        """Wait for a scrape of the subject at rest, so that counters gain whole requests between scrapes.

        It must not be the first: of a series that is born under load Prometheus knows that it began at 0 only
        where the target had been scraped without it.
        """
        within_s = setup.DISCOVERED_WITHIN_S + 2 * self.scrape_interval_s + SLACK_S
        self._await_scrape(time.time(), least=2, within_s=within_s)
        self._load_began_s = time.time()

    def after_load(self) -> None:
        """Wait for a last scrape, withdraw the target, ask, and leave the answers in the trial's folder."""
        settled_s = time.time()
        self._await_scrape(settled_s, least=1, within_s=2 * self.scrape_interval_s + SLACK_S)
        self._announce(setup.NO_TARGET)
        try:
            reading = self._reading(settled_s)
        except PrometheusError as error:
            reason = f"Prometheus does not answer any more: {error}"
            self.failed(reason)
            reading = Reading(scrape_interval_s=self.scrape_interval_s, absent=reason)
        _write(self.folder, reading)

    def _reading(self, settled_s: float) -> Reading:
        began_s = self._load_began_s or settled_s
        scrapes = self._scrapes()
        seen = Reading(
            scrape_interval_s=self.scrape_interval_s,
            load_began_s=began_s,
            settled_s=settled_s,
            scrapes=tuple(scrapes),
        )
        found = window(scrapes, load_began_s=began_s, settled_s=settled_s)
        if found is None:
            return replace(seen, absent="the subject answered fewer than two scrapes")
        return replace(
            seen,
            asked_at_s=found.ends_at_s,
            window_s=found.length_s,
            objectives=ask(self.prometheus, self.definition, found),
        )

    def _await_scrape(self, after_s: float, *, least: int, within_s: float) -> None:
        """Wait until the subject has answered a scrape that began after a moment, or the time is over."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            try:
                answered = [moment for moment, up in self._scrapes() if up == 1]
            except PrometheusError:
                return  # it is asked once more after the load, and then it is said
            if len(answered) >= least and answered[-1] > after_s:
                return
            time.sleep(POLL_S)

    def _scrapes(self) -> list[tuple[float, float]]:
        """Return the scrapes of the trial so far, with 1 where the subject answered."""
        chosen = Selector(
            "up", tuple(Matcher(label=name, operator="=", value=self.labels[name]) for name in (RUN, TRIAL))
        )
        now_s = time.time()
        series = self.prometheus.history(f"{chosen}[{math.ceil(now_s - self._began_s) + 1}s]", at_s=now_s)
        return sorted(each for _, samples in series for each in samples)

    def _announce(self, group: str) -> None:
        write_atomically(self.targets / setup.TARGET_FILE, group, durable=False)


def _write(folder: Path, reading: Reading) -> None:
    write_atomically(folder / FILE, READING.dump_json(reading, indent=1).decode() + "\n")
