"""/healthz and /readyz mean different things: the process is up, and it should get traffic."""

import sqlite3
from contextlib import closing

from tests.integration.service.conftest import Start
from tests.integration.service.harness import RunningService


def probe(service: RunningService, path: str) -> tuple[int, dict[str, object]]:
    answer = service.fresh.get(path)
    return answer.status_code, answer.json()


def test_a_service_at_work_is_up_and_ready(start_single: Start) -> None:
    with start_single() as service:
        assert probe(service, "/healthz") == (200, {"status": "up"})
        assert probe(service, "/readyz") == (200, {"status": "ready"})


def test_a_store_that_was_moved_away_makes_it_unready_but_not_dead(start_any: Start) -> None:
    with start_any() as service:
        service.database.rename(service.database.with_name("moved.db"))
        status, body = probe(service, "/readyz")
        assert status == 503
        assert body["status"] == "not ready"
        assert "No such file or directory" in str(body["failed"])
        assert probe(service, "/healthz")[0] == 200


def test_a_store_that_was_replaced_makes_it_unready(start_any: Start) -> None:
    with start_any() as service:
        service.database.rename(service.database.with_name("moved.db"))
        service.database.touch()
        status, body = probe(service, "/readyz")
        assert status == 503
        assert "replaced by another file" in str(body["failed"])


def test_a_store_locked_by_somebody_else_makes_it_unready_and_submissions_fail_cleanly(
    start_any: Start,
) -> None:
    with start_any() as service, closing(sqlite3.connect(service.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        status, body = probe(service, "/readyz")
        assert status == 503
        assert "database is locked" in str(body["failed"])
        assert probe(service, "/healthz")[0] == 200
        refused = service.fresh.post("/jobs", json={"kind": "sleep", "params": {"duration_s": 0}})
        assert refused.status_code == 503
        assert refused.headers["retry-after"] == "1"
        assert refused.json() == {"detail": "the store is unavailable"}
        other.execute("ROLLBACK")
        assert probe(service, "/readyz")[0] == 200
        service.wait_for_state([service.submit(duration_s=0)], "succeeded")
