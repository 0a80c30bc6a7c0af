"""The data are what Grafana's own models, which the SDK is generated from, read and write."""

from __future__ import annotations

import copy
import json

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models import dashboard as grafana

from tests.unit.compile.dashboards.reading import Json, panels

# Of Grafana's classic JSON, and not in the models.
UNMODELLED = {"titleFormat", "textFormat", "tagKeys"}


@pytest.fixture(scope="module", autouse=True)
def _models() -> None:
    register_default_plugins()


def modelled(data: Json) -> Json:
    """The part that the models have a place for; takes out what is known to have none, and nothing else."""
    part = copy.deepcopy(data)
    assert part.pop("id") is None
    for annotation in part["annotations"]["list"]:
        for key in UNMODELLED:
            annotation.pop(key)
    return part


def read_and_written(data: Json) -> Json:
    model = grafana.Dashboard.from_json(copy.deepcopy(data))
    written: Json = json.loads(json.dumps(model, cls=JSONEncoder))
    return written


def test_reading_a_dashboard_into_the_models_loses_nothing(dashboard: Json) -> None:
    data = modelled(dashboard)

    assert read_and_written(data) == data


def test_a_key_that_the_models_do_not_know_is_lost_and_seen(dashboard: Json) -> None:
    data = modelled(dashboard)
    panels(data)[0]["options"]["legent"] = {}

    assert read_and_written(data) != data


def test_the_schema_is_the_one_of_the_pinned_sdk(dashboard: Json) -> None:
    assert dashboard["schemaVersion"] == grafana.Dashboard().schema_version == 41


def test_data_are_plain_json(dashboard: Json) -> None:
    assert json.loads(json.dumps(dashboard, allow_nan=False)) == dashboard
