from __future__ import annotations

import json
from dataclasses import replace
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from sloproof.analysis.intervals import Interval
from sloproof.analysis.results import to_json
from sloproof.experiment.summary import summarise
from sloproof.report.schema import results_schema
from tests.invention import InventedTrial, facts

if TYPE_CHECKING:
    from collections.abc import Callable

    from sloproof.analysis.results import Results
    from tests.invention import Invention

PUBLISHED = Path(__file__).parents[3] / "docs" / "results.schema.json"
UPDATE = "from sloproof.report.schema import results_schema as made; print(made(), end='')"


def validator() -> Draft202012Validator:
    schema = json.loads(results_schema())
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_the_published_schema_is_that_of_the_classes() -> None:
    assert PUBLISHED.read_text() == results_schema(), f'make it again: python -c "{UPDATE}" > {PUBLISHED}'


@pytest.mark.parametrize(
    "trials",
    [
        pytest.param([], id="no trial"),
        pytest.param([InventedTrial(configuration="uvicorn-1")], id="one"),
        pytest.param(
            [
                InventedTrial(
                    configuration="uvicorn-1",
                    block=n,
                    generator=facts(dispatch_lag_p99_s=inf, cpu_ratio=None),
                )
                for n in range(1, 7)
            ],
            id="none valid, and what never happened",
        ),
    ],
)
def test_results_are_valid(invention: Invention, trials: list[InventedTrial]) -> None:
    for trial in trials:
        invention.add(trial)

    results = json.loads(to_json(summarise(invention.folder)))

    validator().validate(results)
    assert len(results["trials"]) == len(trials)


def test_a_percentile_that_never_ended_is_null(results: Results) -> None:
    first, *others = results.configurations
    endless = Interval(low=0.1, median=inf, high=inf, confidence_ratio=0.97)
    percentile = replace(first.endpoints[0].percentiles[0], typical_s=endless)
    endpoint = replace(first.endpoints[0], percentiles=(percentile,))
    results = replace(results, configurations=(replace(first, endpoints=(endpoint,)), *others))

    written = json.loads(to_json(results))

    assert written["configurations"][0]["endpoints"][0]["percentiles"][0]["typical_s"]["high"] is None
    validator().validate(written)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda r: r.update(schema="sloproof.results/2"), id="another schema"),
        pytest.param(lambda r: r.pop("plan"), id="no plan"),
        pytest.param(lambda r: r["plan"].update(seed=None), id="null where nothing is infinite"),
        pytest.param(
            lambda r: r["configurations"][0]["objectives"][0].update(verdict="PERHAPS"),
            id="no verdict of ours",
        ),
        pytest.param(
            lambda r: r["configurations"][0]["objectives"][0]["interval"].update(high="Infinity"),
            id="infinity as a text",
        ),
    ],
)
def test_the_schema_refuses_what_is_wrong(
    results: Results, change: Callable[[dict[str, Any]], object]
) -> None:
    written = json.loads(to_json(results))

    change(written)

    assert not validator().is_valid(written)
