"""Every line of a run is one JSON object, says whose request it belongs to, and keeps secrets."""

from tests.integration.service.conftest import Start
from tests.integration.service.harness import RunningService

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
HEADERS = {
    "X-Request-ID": "checkout-17",
    "X-User-ID": "anna",
    "traceparent": f"00-{TRACE_ID}-00f067aa0ba902b7-01",
    "Authorization": "Bearer PLANTED-bearer",
    "Cookie": "session=PLANTED-cookie",
    "X-Api-Key": "PLANTED-key",
}


def job_lines(service: RunningService, job: str) -> list[dict[str, object]]:
    return [line for line in service.lines() if line.get("job_id") == job]


def test_a_run_from_start_to_stop_is_json_with_context_and_without_secrets(start_single: Start) -> None:
    with start_single(
        workers=2, pre_stop_delay_s=0, otlp_headers="authorization=PLANTED-otlp", log_level="debug"
    ) as service:
        job = service.submit(headers=HEADERS, duration_s=0.01)
        service.wait_for_state([job], "succeeded")
        bad = service.fresh.post("/jobs", headers=HEADERS, content=b'{"password": "PLANTED-body"')
        assert bad.status_code == 422
        assert bad.headers["x-request-id"] == "checkout-17"
        assert service.stop() == 0

        context = {"request_id": "checkout-17", "user_id": "anna", "trace_id": TRACE_ID}
        requests = [line for line in service.events("request_finished") if line["status"] in (202, 422)]
        assert len(requests) == 2
        for line in requests:
            assert line.items() >= {**context, "method": "POST", "route": "/jobs"}.items()
        assert {line["event"] for line in job_lines(service, job)} == {"job_started", "job_finished"}
        for line in job_lines(service, job):
            assert line.items() >= context.items()

        assert "PLANTED" not in service.log.read_text()
        assert all({"event", "level", "timestamp", "process"} <= line.keys() for line in service.lines())


def test_a_request_id_is_made_where_none_or_a_dangerous_one_came(start_any: Start) -> None:
    with start_any() as service:
        for headers in ({}, {"X-Request-ID": 'a b"c'}, {"X-Request-ID": "x" * 200}):
            made = service.fresh.get("/jobs/none", headers=headers).headers["x-request-id"]
            assert len(made) == 32
            assert int(made, 16) >= 0
