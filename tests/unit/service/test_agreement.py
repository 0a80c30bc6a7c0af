"""What the SLO definition reads, the service exports."""

from pathlib import Path
from typing import assert_never

import pytest

from service.adapters.http.endpoints import API
from service.adapters.metrics.instruments import Instruments
from service.settings import Settings
from sloproof.slo.definition import (
    Availability,
    ErrorRatio,
    EventLatency,
    Latency,
    Objective,
    Ratio,
    Up,
    load,
)

DEFINITION = load(Path(__file__).parents[3] / "slo" / "jobs.yaml")


@pytest.mark.parametrize("objective", DEFINITION.objectives, ids=lambda objective: objective.name)
def test_an_objective_can_be_read_off_the_metrics(objective: Objective) -> None:
    bounds_s = Settings.load({"database": "jobs.db"}).latency_buckets_s
    names = {family.name for family in Instruments(bounds_s).registry.collect()}
    indicator = objective.indicator
    match indicator:
        case Latency():
            assert float(indicator.threshold_s) in bounds_s
            assert (indicator.method, indicator.route) in {(e.method, e.route) for e in API}
        case EventLatency():
            assert float(indicator.threshold_s) in bounds_s
            assert indicator.histogram in names
        case Availability():
            assert DEFINITION.metrics.requests in names
        case Ratio() | ErrorRatio() | Up():
            raise AssertionError("no objective of the jobs service is written in PromQL")
        case _:
            assert_never(indicator)
