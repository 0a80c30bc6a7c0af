"""The reference in docs/service.md names what there is."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
from prometheus_client import Metric

from service.adapters.metrics import Build, Instruments
from service.settings import Settings

DOCUMENT = (Path(__file__).parents[3] / "docs" / "service.md").read_text()


def test_every_setting_is_in_the_table_and_no_other() -> None:
    rows = set(re.findall(r"^\| `SERVICE_(\w+)`", DOCUMENT, flags=re.MULTILINE))
    ours = {name.upper() for name in Settings.model_fields} - {"MULTIPROC_DIR"}
    assert rows == ours


@pytest.mark.parametrize("family", list(Instruments((1,)).registry.collect()), ids=lambda family: family.name)
def test_every_instrument_is_in_the_table(family: Metric) -> None:
    assert f"`{family.name}{'_total' if family.type == 'counter' else ''}`" in DOCUMENT


def test_the_labels_of_the_build_are_in_the_table() -> None:
    (row,) = re.findall(r"^\| `service_build_info` \| gauge; (.*?) \|", DOCUMENT, flags=re.MULTILINE)
    assert row == ", ".join(f"`{field.name}`" for field in fields(Build))
