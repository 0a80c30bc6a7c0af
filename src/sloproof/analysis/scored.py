"""What a trial is judged by: its load phase, the requests by endpoint; it counts nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sloproof.analysis.samples import Phase, Samples

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sloproof.analysis.jobs import Jobs


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Scored:
    """The requests of a load phase, by endpoint (sorted; those that occur), and the jobs submitted in it.

    Everything that is told of a trial is told by endpoint, so its rows are taken apart once, here.
    """

    requests: Mapping[str, Samples]
    jobs: Jobs

    @classmethod
    def of(cls, samples: Samples, jobs: Jobs) -> Self:
        """Take what is scored out of the requests and the jobs of a whole trial."""
        load = samples.select(phase=Phase.LOAD)
        return cls(requests=load.by_endpoint(), jobs=jobs.select(phase=Phase.LOAD))

    def of_endpoint(self, endpoint: str) -> Samples:
        """Return the requests of an endpoint, none where it was not asked."""
        return self.requests[endpoint] if endpoint in self.requests else Samples.none()
