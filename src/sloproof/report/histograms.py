"""The HdrHistogram log of each configuration, gathered while the trials of a run are read."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sloproof.analysis.hdrlog import HdrLog

if TYPE_CHECKING:
    from sloproof.analysis.results import TrialResult
    from sloproof.analysis.scored import Scored


class Histograms:
    """A log for each configuration, of its valid trials."""

    def __init__(self) -> None:
        self._logs: defaultdict[str, HdrLog] = defaultdict(HdrLog)

    def add(self, trial: TrialResult, scored: Scored) -> None:
        """Add a trial; one that is not valid is left out."""
        if trial.valid:
            self._logs[trial.configuration].add(trial.started_at, scored.requests)

    def text(self, configuration: str) -> str:
        """Return the log of a configuration, by its id; without a trial it is a header alone."""
        return self._logs[configuration].text()
