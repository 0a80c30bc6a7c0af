"""The API by its routes: what is accepted, what is refused and how, what OpenAPI says of it."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from service.adapters.http.routes import use_cases
from service.application import Jobs
from service.domain.job import Job, JsonObject, Origin
from service.main import create_app
from service.ports import StoreUnavailableError
from service.settings import Settings

Api = Callable[[Callable[[httpx.AsyncClient], Awaitable[None]]], None]


@pytest.fixture
def app(tmp_path: Path) -> FastAPI:
    return create_app(Settings.load({"database": str(tmp_path / "jobs.db")}))


@pytest.fixture
def api(app: FastAPI) -> Api:
    """Run a scenario against the application with its real parts, without a server."""

    def run(scenario: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async def main() -> None:
            async with (
                app.router.lifespan_context(app),
                httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service") as client,
            ):
                await scenario(client)

        asyncio.run(main())

    return run


async def end_of(client: httpx.AsyncClient, location: str) -> dict[str, Any]:
    for _ in range(3000):
        job: dict[str, Any] = (await client.get(location)).json()
        if job["finished_at"] is not None:
            return job
        await asyncio.sleep(0.01)
    raise AssertionError(f"{location} does not end")


def test_a_submitted_job_is_answered_with_itself_and_where_to_find_it(api: Api) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.post("/jobs", json={"kind": "sleep", "params": {"duration_s": 0.01}})
        assert answer.status_code == 202
        job = answer.json()
        assert answer.headers["location"] == f"/jobs/{job['id']}"
        assert job.items() >= {"kind": "sleep", "state": "queued", "attempt": 0, "completions": 0}.items()
        assert job["params"] == {"duration_s": 0.01}
        ended = await end_of(client, answer.headers["location"])
        assert ended["state"] == "succeeded"
        assert ended["result"] == {"slept_s": 0.01}
        assert ended["error"] is None
        assert ended["submitted_at"] <= ended["started_at"] <= ended["finished_at"]
        assert (ended["attempt"], ended["completions"]) == (1, 1)

    api(scenario)


@pytest.mark.parametrize(
    ("body", "location"),
    [
        pytest.param({}, ["body"], id="nothing"),
        pytest.param({"kind": "dance", "params": {}}, ["body"], id="a kind that is not known"),
        pytest.param({"kind": "sleep"}, ["body", "sleep", "params"], id="no parameters"),
        pytest.param(
            {"kind": "sleep", "params": {}}, ["body", "sleep", "params", "duration_s"], id="one missing"
        ),
        pytest.param(
            {"kind": "sleep", "params": {"duration_s": -1}},
            ["body", "sleep", "params", "duration_s"],
            id="one too small",
        ),
        pytest.param(
            {"kind": "sleep", "params": {"duration_s": 61}},
            ["body", "sleep", "params", "duration_s"],
            id="one too large",
        ),
        pytest.param(
            {"kind": "sleep", "params": {"duration_s": 1, "x": 1}},
            ["body", "sleep", "params", "x"],
            id="one too many",
        ),
        pytest.param(
            {"kind": "digest", "params": {"rounds": 1.5}},
            ["body", "digest", "params", "rounds"],
            id="one of another type",
        ),
        pytest.param(
            {"kind": "digest", "params": {"rounds": 5_000_001}},
            ["body", "digest", "params", "rounds"],
            id="more rounds than allowed",
        ),
        pytest.param(
            {"kind": "sleep", "params": {"duration_s": 1}, "x": 1}, ["body", "sleep", "x"], id="an extra key"
        ),
    ],
)
def test_a_wrong_job_is_refused_with_the_place_of_the_mistake(
    api: Api, body: dict[str, Any], location: list[str]
) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.post("/jobs", json=body)
        assert answer.status_code == 422
        assert [mistake["loc"] for mistake in answer.json()["detail"]] == [location]

    api(scenario)


def test_what_is_no_json_is_refused(api: Api) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.post("/jobs", content=b"{", headers={"Content-Type": "application/json"})
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == "json_invalid"

    api(scenario)


def test_a_body_without_measure_is_refused(api: Api) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.post(
            "/jobs", content=b" " * 70_000, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413

    api(scenario)


def test_a_job_that_is_not_there_is_named(api: Api) -> None:
    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.get("/jobs/none")
        assert (answer.status_code, answer.json()) == (404, {"detail": "there is no job 'none'"})

    api(scenario)


def test_the_store_can_be_replaced_where_routes_get_it(app: FastAPI, api: Api) -> None:
    class Unavailable(Jobs):
        async def submit(self, kind: str, params: JsonObject, origin: Origin) -> Job:
            raise StoreUnavailableError(f"cannot write {kind} {params} {origin}")

    app.dependency_overrides[use_cases] = lambda: Unavailable(
        **{name: getattr(app.state.jobs, name) for name in Jobs.__slots__}
    )

    async def scenario(client: httpx.AsyncClient) -> None:
        answer = await client.post("/jobs", json={"kind": "sleep", "params": {"duration_s": 0}})
        assert (answer.status_code, answer.json()) == (503, {"detail": "the store is unavailable"})
        assert answer.headers["retry-after"] == "1"

    api(scenario)


def test_openapi_shows_the_parameters_of_each_kind(app: FastAPI) -> None:
    schema = app.openapi()
    body = schema["paths"]["/jobs"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["discriminator"]["propertyName"] == "kind"
    models = {kind: ref.rpartition("/")[2] for kind, ref in body["discriminator"]["mapping"].items()}
    assert models.keys() == {"sleep", "digest"}
    schemas = schema["components"]["schemas"]
    params = {
        kind: schemas[schemas[model]["properties"]["params"]["$ref"].rpartition("/")[2]]["properties"]
        for kind, model in models.items()
    }
    assert params["sleep"]["duration_s"].items() >= {"type": "number", "minimum": 0, "maximum": 60}.items()
    assert params["digest"]["rounds"].items() >= {"type": "integer", "minimum": 1}.items()
    assert {"200", "404", "503"} <= schema["paths"]["/jobs/{id}"]["get"]["responses"].keys()
