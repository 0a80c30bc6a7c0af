"""Traces reach a collector completely, cost nothing without one, and never hold up the exit."""

import asyncio
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from textwrap import dedent

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status
from structlog.testing import capture_logs

from service.adapters.tracing import Tracing
from tests.integration.service.collector import collector
from tests.integration.service.conftest import Start
from tests.integration.service.harness import ROOT, environment

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT_ID = "00f067aa0ba902b7"


def attributes(span: Span) -> dict[str, object]:
    return {item.key: getattr(item.value, str(item.value.WhichOneof("value"))) for item in span.attributes}


def test_every_span_has_arrived_when_the_service_has_ended(start_single: Start) -> None:
    with (
        collector() as collected,
        start_single(
            workers=2, pre_stop_delay_s=0, otlp_endpoint=collected.endpoint, otlp_headers="x-tenant=blue"
        ) as service,
    ):
        traced = service.submit(headers={"traceparent": f"00-{TRACE_ID}-{PARENT_ID}-01"}, duration_s=0)
        jobs = [traced, *(service.submit(duration_s=0) for _ in range(19))]
        service.wait_for_state(jobs, "succeeded")
        service.fresh.get("/jobs/none")
        service.fresh.get("/healthz")
        requests = len(service.events("request_finished"))
        assert service.stop() == 0

        served = [span for span in collected.spans if span.kind == Span.SPAN_KIND_SERVER]
        ran = [span for span in collected.spans if span.kind == Span.SPAN_KIND_CONSUMER]
        assert len(served) == requests
        assert {attributes(span)["job.id"] for span in ran} == set(jobs)
        assert all(headers["x-tenant"] == "blue" for headers in collected.headers)

        (submitted,) = (span for span in served if span.trace_id.hex() == TRACE_ID)
        assert submitted.name == "POST /jobs"
        assert submitted.parent_span_id.hex() == PARENT_ID
        assert (
            attributes(submitted).items()
            >= {
                "http.request.method": "POST",
                "http.route": "/jobs",
                "http.response.status_code": 202,
                "url.path": "/jobs",
                "url.scheme": "http",
            }.items()
        )
        (run,) = (span for span in ran if span.trace_id.hex() == TRACE_ID)
        assert (run.name, run.parent_span_id) == ("run sleep", submitted.span_id)
        assert attributes(run)["job.id"] == traced
        assert not [span for span in served if span.status.code == Status.STATUS_CODE_ERROR]


def test_logs_carry_the_id_of_the_trace_that_the_service_began(start_any: Start) -> None:
    with collector() as collected, start_any(pre_stop_delay_s=0, otlp_endpoint=collected.endpoint) as service:
        job = service.submit(duration_s=0)
        service.wait_for_state([job], "succeeded")
        assert service.stop() == 0
        (run,) = (span for span in collected.spans if span.kind == Span.SPAN_KIND_CONSUMER)
        lines = [line for line in service.lines() if line.get("job_id") == job]
        assert {line["trace_id"] for line in lines} == {run.trace_id.hex()}


def test_a_collector_that_does_not_answer_does_not_hold_up_the_exit(start_any: Start) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with start_any(pre_stop_delay_s=0, otlp_endpoint=endpoint, otlp_timeout_s=0.5) as service:
            job = service.submit(duration_s=0)
            service.wait_for_state([job], "succeeded")
            assert service.stop() == 0
            assert any("export" in line["event"] for line in service.lines() if line["level"] == "error")
            assert service.events("worker_killed") == []


def test_flushing_more_than_can_be_sent_in_time_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")

    async def flush(endpoint: str) -> None:
        tracing = Tracing(endpoint, headers={}, timeout_s=0.7, version="0")
        tracing.start()
        provider = tracing.of_requests(without=())["tracer_provider"]
        assert provider is not None
        for _ in range(2000):  # four batches, each of which waits the time-out
            provider.get_tracer("test").start_span("request").end()
        await tracing.close()

    with closing(socket.create_server(("127.0.0.1", 0))) as silent, capture_logs() as logged:
        asyncio.run(flush(f"http://127.0.0.1:{silent.getsockname()[1]}"))
    assert [line["event"] for line in logged] == ["trace_flush_timed_out"]


def test_without_an_endpoint_the_sdk_and_exporter_are_never_imported(tmp_path: Path) -> None:
    program = """
        import asyncio, sys
        import httpx
        from service.main import create_app
        from service.settings import Settings

        async def main():
            app = create_app(Settings.load())
            async with app.router.lifespan_context(app):
                transport = httpx.ASGITransport(app)
                async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                    body = {"kind": "sleep", "params": {"duration_s": 0}}
                    assert (await client.post("/jobs", json=body)).status_code == 202
                    assert (await client.get("/metrics")).status_code == 200

        asyncio.run(main())
        assert "opentelemetry.sdk" not in sys.modules
        assert "opentelemetry.exporter" not in sys.modules
    """
    subprocess.run(
        [sys.executable, "-c", dedent(program)],
        cwd=tmp_path,
        env={**environment(database=tmp_path / "jobs.db"), "PYTHONPATH": str(ROOT)},
        check=True,
        timeout=60,
    )
