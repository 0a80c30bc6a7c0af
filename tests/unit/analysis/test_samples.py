"""Samples survive Arrow unchanged, and what never happened is infinitely late."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from sloproof.analysis.samples import COLUMNS, SCHEMA, Outcome, Phase, Samples

NEVER = np.nan
ROWS: list[tuple[Any, ...]] = [
    # phase, endpoint, intended, dispatched, start, end, status, outcome
    (Phase.WARMUP, "POST /jobs", 0.0, 0.0, 0.0, 0.5, 202, Outcome.ANSWERED),
    (Phase.LOAD, "POST /jobs", 1.0, 1.0, 1.25, 1.5, 202, Outcome.ANSWERED),
    (Phase.LOAD, "GET /jobs/{id}", 1.0, 1.5, 2.0, 3.0, 404, Outcome.ANSWERED),
    (Phase.LOAD, "GET /jobs/{id}", 2.0, 2.0, 2.0, 2.5, 503, Outcome.ANSWERED),
    (Phase.LOAD, "GET /jobs/{id}", 2.0, 2.0, 2.0, 2.5, 429, Outcome.ANSWERED),
    (Phase.LOAD, "POST /jobs", 3.0, 3.0, 3.0, 13.0, 0, Outcome.TIMEOUT),
    (Phase.LOAD, "POST /jobs", 4.0, 4.0, NEVER, NEVER, 0, Outcome.UNFINISHED),
    (Phase.DRAIN, "POST /jobs", 5.0, NEVER, NEVER, NEVER, 0, Outcome.REFUSED),
]


def samples(rows: list[tuple[Any, ...]] = ROWS) -> Samples:
    columns = zip(*rows, strict=True) if rows else [()] * len(COLUMNS)
    kinds = [np.str_, np.str_, *[np.float64] * 4, np.int16, np.str_]
    return Samples(
        **{
            name: np.array(column, dtype=kind)
            for name, column, kind in zip(COLUMNS, columns, kinds, strict=True)
        }
    )


@pytest.mark.parametrize("rows", [ROWS, []], ids=["rows of every kind", "no row"])
def test_samples_survive_a_table_unchanged(rows: list[tuple[Any, ...]]) -> None:
    before = samples(rows)
    table = before.to_table()
    after = Samples.from_table(table)

    assert table.schema == SCHEMA
    assert len(after) == len(rows)
    for name in COLUMNS:
        np.testing.assert_array_equal(getattr(after, name), getattr(before, name))
    assert (after.status.dtype, after.end_s.dtype) == (np.dtype(np.int16), np.dtype(np.float64))


def test_plain_strings_and_wider_numbers_are_taken_from_a_table_too() -> None:
    table = samples().to_table()
    words = {name: pa.array(table[name].to_pylist()) for name in ("phase", "endpoint", "outcome")}
    plain = pa.table({name: words.get(name, table[name]) for name in COLUMNS})
    plain = plain.set_column(COLUMNS.index("status"), "status", table["status"].cast(pa.int64()))

    taken = Samples.from_table(plain)

    assert taken.status.dtype == np.dtype(np.int16)
    assert taken.outcome.tolist() == samples().outcome.tolist()


def test_the_latency_counts_from_the_intended_start_and_is_infinite_without_an_answer() -> None:
    never = np.inf

    np.testing.assert_array_equal(samples().latency_s, [0.5, 0.5, 2.0, 0.5, 0.5, never, never, never])


def test_the_service_time_counts_from_the_actual_start() -> None:
    never = np.inf

    np.testing.assert_array_equal(samples().service_time_s, [0.5, 0.25, 1.0, 0.5, 0.5, never, never, never])


def test_a_start_that_never_happened_is_infinitely_late() -> None:
    never = np.inf

    np.testing.assert_array_equal(samples().start_lag_s, [0.0, 0.25, 1.0, 0.0, 0.0, 0.0, never, never])
    np.testing.assert_array_equal(samples().dispatch_lag_s, [0.0, 0.0, 0.5, 0.0, 0.0, 0.0, 0.0, never])


def test_a_request_is_served_when_answered_without_a_server_error_or_a_429() -> None:
    np.testing.assert_array_equal(samples().served, [True, True, True, False, False, False, False, False])


@pytest.mark.parametrize(
    ("wanted", "intended_s"),
    [
        pytest.param({}, [row[2] for row in ROWS], id="all"),
        pytest.param({"phase": Phase.WARMUP}, [0.0], id="a phase"),
        pytest.param({"endpoint": "GET /jobs/{id}"}, [1.0, 2.0, 2.0], id="an endpoint"),
        pytest.param({"phase": Phase.LOAD, "endpoint": "POST /jobs"}, [1.0, 3.0, 4.0], id="both"),
        pytest.param({"endpoint": "GET /"}, [], id="none"),
    ],
)
def test_rows_are_selected_by_phase_and_endpoint(wanted: dict[str, Any], intended_s: list[float]) -> None:
    assert samples().select(**wanted).intended_s.tolist() == intended_s


def test_the_endpoints_are_those_that_occur() -> None:
    assert samples().endpoints == ("GET /jobs/{id}", "POST /jobs")
    assert samples([]).endpoints == ()


def test_columns_of_unequal_length_are_refused() -> None:
    good = samples()

    with pytest.raises(ValueError, match="columns of samples must be equally long"):
        Samples(**{name: getattr(good, name)[: 1 if name == "status" else None] for name in COLUMNS})


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        pytest.param("end_s", None, r"lack the columns \['end_s'\]", id="a missing column"),
        pytest.param("end_s", [None] * len(ROWS), "hold nulls in 'end_s'", id="a null"),
        pytest.param(
            "phase", ["lod"] * len(ROWS), r"hold \['lod'\] in 'phase'; it takes \['warmup', ", id="a word"
        ),
    ],
)
def test_a_table_that_holds_no_samples_is_refused(
    column: str, values: list[Any] | None, message: str
) -> None:
    table = samples().to_table().drop_columns([column])
    if values is not None:
        table = table.append_column(column, pa.array(values))

    with pytest.raises(ValueError, match=message):
        Samples.from_table(table)
