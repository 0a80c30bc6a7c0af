"""Settings: where they come from, which wins, and what is said about a wrong one."""

import json
import os
from pathlib import Path

import jsonschema
import pytest

from service.settings import Settings, SettingsError, inherited, settings_schema

BUCKETS = "give rising seconds separated by commas, e.g. 0.1,0.25,2"
ENDPOINT = "give the http:// or https:// address of an OTLP collector, e.g. http://127.0.0.1:4318"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Start from an empty environment in an empty folder."""
    for name in os.environ:
        if name.upper().startswith(("SERVICE_", "OTEL_", "PROMETHEUS_")):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def mistakes(**options: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        Settings.load(options)
    return list(raised.value.mistakes)


def test_the_defaults_are_valid() -> None:
    settings = Settings.load()
    assert (settings.server, settings.workers, settings.synchronous) == ("uvicorn", 1, "full")
    assert settings.database == Path.cwd() / "jobs.db"


def test_options_win_over_variables_over_dotenv_over_secret_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("workers", "port", "concurrency", "poll_s"):
        (secrets / f"service_{name}").write_text("1")
    Path(".env").write_text("SERVICE_WORKERS=2\nSERVICE_PORT=2\nSERVICE_CONCURRENCY=2\nOTHER=x\n")
    monkeypatch.setenv("SERVICE_WORKERS", "3")
    monkeypatch.setenv("SERVICE_PORT", "3")
    settings = Settings.load({"workers": "4"}, secrets=secrets)
    assert (settings.workers, settings.port, settings.concurrency, settings.poll_s) == (4, 3, 2, 1)


def test_secret_headers_come_from_a_file_and_are_never_shown(tmp_path: Path) -> None:
    (tmp_path / "service_otlp_headers").write_text("authorization=Bearer PLANTED,X-Tenant = blue")
    settings = Settings.load(secrets=tmp_path)
    assert settings.header_pairs() == {"authorization": "Bearer PLANTED", "x-tenant": "blue"}
    assert "PLANTED" not in repr(settings)


def test_the_standard_variable_names_the_endpoint_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318")
    assert str(Settings.load().otlp_endpoint) == "http://collector:4318/"


def test_buckets_are_a_list_of_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_LATENCY_BUCKETS_S", "0.1, 0.25,2")
    assert Settings.load().latency_buckets_s == (0.1, 0.25, 2)


def test_a_child_process_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SERVICE_LEASE_S", "7")
    options = {"server": "hypercorn", "workers": "4", "port": "0", "host": "::1", "database": "other.db"}
    settings = Settings.load(options)
    for name, value in inherited(settings, tmp_path).items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings.model_copy(update={"multiproc_dir": tmp_path})


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("WORKERS", "0", "'0' is not accepted; give a whole number from 1 to 64"),
        ("WORKERS", "two", "'two' is not accepted; give a whole number from 1 to 64"),
        ("SERVER", "gunicorn", "'gunicorn' is not accepted; give uvicorn or hypercorn"),
        ("HOST", "", "'' is not accepted; give an address or host name of this machine"),
        ("DATABASE", ".", "'.' is a folder; give the path of a file in an existing folder"),
        ("DATABASE", "x/y.db", "there is no folder 'x'; give the path of a file in an existing folder"),
        ("LEASE_S", "nan", "'nan' is not accepted; give seconds from 0.3 to 3600"),
        ("DRAIN_GRACE_S", "-1", "'-1' is not accepted; give seconds from 0 to 3600"),
        ("LOG_LEVEL", "loud", "'loud' is not accepted; give debug, info, warning or error"),
        ("LATENCY_BUCKETS_S", "0.25,0.1", f"the bounds do not rise; {BUCKETS}"),
        ("LATENCY_BUCKETS_S", "fast", f"'fast' is not accepted; {BUCKETS}"),
        ("LATENCY_BUCKETS_S", "", f"'' is not accepted; {BUCKETS}"),
        ("OTLP_ENDPOINT", "collector:4318", f"'collector:4318' is not accepted; {ENDPOINT}"),
        ("OTLP_HEADERS", "PLANTED", "a pair has no '='; give name=value pairs separated by commas"),
    ],
    ids=lambda value: value if value.isupper() else None,
)
def test_a_wrong_value_is_named_with_what_would_be_right(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, message: str
) -> None:
    monkeypatch.setenv(f"SERVICE_{variable}", value)
    assert mistakes() == [f"SERVICE_{variable}: {message}"]


def test_all_mistakes_are_named_at_once_each_where_it_was_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_PORT", "-1")
    monkeypatch.setenv("SERVICE_WORKRES", "4")
    monkeypatch.setenv("SERVICE_ZZZ", "4")
    assert mistakes(workers="0") == [
        "SERVICE_WORKRES: unknown setting, did you mean SERVICE_WORKERS?",
        "SERVICE_ZZZ: unknown setting",
        "--workers: '0' is not accepted; give a whole number from 1 to 64",
        "SERVICE_PORT: '-1' is not accepted; give a port from 1 to 65535, or 0 for any that is free",
    ]


def test_a_typing_error_among_right_settings_is_a_mistake_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVICE_LEASES", "4")
    Path(".env").write_text("SERVICE_PROT=80\n")
    assert mistakes() == [
        "SERVICE_LEASES: unknown setting, did you mean SERVICE_LEASE_S?",
        "SERVICE_PROT: unknown setting, did you mean SERVICE_PORT?",
    ]


def test_the_schema_of_the_variables_is_that_of_today() -> None:
    kept = Path(__file__).parents[3] / "service" / "settings.schema.json"
    assert json.loads(kept.read_text()) == settings_schema(), (
        "python -m service --settings-schema > service/settings.schema.json"
    )


def test_the_schema_names_every_variable_with_its_values_and_closes_ours_alone() -> None:
    schema = settings_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert schema["properties"]["SERVICE_LOOP"]["enum"] == ["uvloop", "asyncio"]
    assert schema["properties"]["SERVICE_WORKERS"]["maximum"] == 64
    assert validator.is_valid({"SERVICE_WORKERS": 4, "PATH": "/bin", "OTEL_RESOURCE_ATTRIBUTES": "a=b"})
    assert not validator.is_valid({"SERVICE_WORKRES": 4})
