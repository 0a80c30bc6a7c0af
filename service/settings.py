"""All settings of the service and the only reader of the environment, .env and secret files."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from dotenv import dotenv_values
from pydantic import AliasChoices, AnyHttpUrl, Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

PREFIX = "SERVICE_"
_DOTENV = ".env"
_SECRETS = Path("/run/secrets")

Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
PositiveSeconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]


class SettingsError(Exception):
    """Some settings are wrong; ``mistakes`` has one line for each."""

    def __init__(self, mistakes: Iterable[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(self.mistakes))


class Settings(BaseSettings):
    """Settings by ``SERVICE_*`` variables, ``.env`` or files in /run/secrets, in that order.

    The description of each says which values are right; it becomes part of the message about a wrong one.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=_DOTENV, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    server: Literal["uvicorn", "hypercorn"] = Field("uvicorn", description="uvicorn or hypercorn")
    supervision: Literal["own", "native"] = Field(
        "own", description="own, or native for the server's own command"
    )
    loop: Literal["uvloop", "asyncio"] = Field("uvloop", description="uvloop or asyncio")
    workers: int = Field(1, ge=1, le=64, description="a whole number from 1 to 64")
    host: str = Field("127.0.0.1", min_length=1, description="an address or host name of this machine")
    port: int = Field(8000, ge=0, le=65535, description="a port from 1 to 65535, or 0 for any that is free")
    database: Path = Field(Path("jobs.db"), description="the path of a file in an existing folder")
    synchronous: Literal["full", "normal"] = Field("full", description="full or normal")
    concurrency: int = Field(16, ge=1, le=1024, description="jobs at once in each process, from 1 to 1024")
    lease_s: PositiveSeconds = Field(5.0, ge=0.3, description="seconds from 0.3 to 3600")
    poll_s: PositiveSeconds = Field(0.25, description="seconds above 0, up to 3600")
    max_attempts: int = Field(3, ge=1, le=100, description="a whole number from 1 to 100")
    pre_stop_delay_s: Seconds = Field(1.0, description="seconds from 0 to 3600")
    drain_grace_s: Seconds = Field(10.0, description="seconds from 0 to 3600")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="debug, info, warning or error"
    )
    metrics_dir: Path | None = Field(
        None, description="a folder for the metrics of all processes; the supervisor empties it at start"
    )
    multiproc_dir: Path | None = Field(
        None,
        validation_alias="PROMETHEUS_MULTIPROC_DIR",
        description="the folder that the processes share; set by the supervisor",
    )
    otlp_endpoint: AnyHttpUrl | None = Field(
        None,
        validation_alias=AliasChoices("SERVICE_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"),
        description="the http:// or https:// address of an OTLP collector, e.g. http://127.0.0.1:4318",
    )
    otlp_headers: SecretStr | None = Field(
        None,
        validation_alias=AliasChoices("SERVICE_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
        description="name=value pairs separated by commas",
    )
    otlp_timeout_s: PositiveSeconds = Field(2.0, description="seconds above 0, up to 3600")
    latency_buckets_s: Annotated[tuple[PositiveSeconds, ...], NoDecode] = Field(
        (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 2.5, 5.0, 10.0),
        description="rising seconds separated by commas, e.g. 0.1,0.25,2",
    )

    @field_validator("latency_buckets_s", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return value.split(",") if isinstance(value, str) else value

    @field_validator("latency_buckets_s")
    @classmethod
    def _rises(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)):
            raise ValueError("the bounds do not rise")
        return value

    @field_validator("otlp_headers")
    @classmethod
    def _has_pairs(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not all("=" in pair for pair in value.get_secret_value().split(",")):
            raise ValueError("a pair has no '='")
        return value

    @field_validator("database")
    @classmethod
    def _has_folder(cls, value: Path) -> Path:
        if not value.parent.is_dir():
            raise ValueError(f"there is no folder {str(value.parent)!r}")
        if value.is_dir():
            raise ValueError(f"{str(value)!r} is a folder")
        return value.absolute()

    @classmethod
    def load(cls, options: Mapping[str, str] | None = None, *, secrets: Path = _SECRETS) -> Self:
        """Read all settings, command-line ``options`` first. Raise ``SettingsError`` with every mistake."""
        given = dict(options or {})
        names = {*os.environ, *dotenv_values(_DOTENV)}
        unknown = [_unknown(name) for name in sorted(names) if _is_stray(name)]
        try:
            settings = cls(**given, _secrets_dir=secrets if secrets.is_dir() else None)  # type: ignore[arg-type]
        except ValidationError as exc:
            raise SettingsError([*unknown, *(_mistake(error, given) for error in exc.errors())]) from None
        if unknown:
            raise SettingsError(unknown)
        return settings

    def header_pairs(self) -> dict[str, str]:
        """Return the OTLP headers; secrets, for the exporter only."""
        text = self.otlp_headers.get_secret_value() if self.otlp_headers else ""
        pairs = (pair.partition("=") for pair in text.split(",") if pair)
        return {name.strip().lower(): value.strip() for name, _, value in pairs}


def settings_schema() -> dict[str, Any]:
    """Return a JSON Schema of the environment, for tools that set variables before there is a service to ask.

    Other variables are welcome; one that begins as ours do and is none of them is not.
    """
    properties = {}
    for field, schema in Settings.model_json_schema()["properties"].items():
        told = {key: value for key, value in schema.items() if key not in {"title", "anyOf", "default"}}
        told |= next((each for each in schema.get("anyOf", ()) if each["type"] != "null"), {})
        default = schema.get("default")
        if told.get("type") == "array":  # a variable holds one text
            told = {"type": "string", "description": told["description"]}
            default = ",".join(f"{each:g}" for each in default)
        properties[field if field.isupper() else _variable(field)] = told | (
            {} if default is None else {"default": default}
        )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Environment of the jobs service",
        "type": "object",
        "properties": properties,
        "patternProperties": {f"^(?!{PREFIX})": {}},
        "additionalProperties": False,
    }


def inherited(settings: Settings, metrics_dir: Path) -> dict[str, str]:
    """Return the environment in which a child process reads the same settings.

    What the command line said goes on as variables; .env and secret files are read again by the child.
    """
    return {
        **os.environ,
        **{
            f"{PREFIX}{name.upper()}": str(getattr(settings, name))
            for name in ("server", "workers", "host", "port", "database")
        },
        "PROMETHEUS_MULTIPROC_DIR": str(metrics_dir),
    }


def _variable(field: str) -> str:
    return f"{PREFIX}{field.upper()}"


_SUFFIXES = tuple(field.upper() for field in Settings.model_fields)


def _is_stray(name: str) -> bool:
    return name.upper().startswith(PREFIX) and name.upper().removeprefix(PREFIX) not in _SUFFIXES


def _unknown(name: str) -> str:
    close = get_close_matches(name.upper().removeprefix(PREFIX), _SUFFIXES, n=1)
    return f"{name}: unknown setting" + (f", did you mean {PREFIX}{close[0]}?" if close else "")


def _mistake(error: ErrorDetails, options: Mapping[str, str]) -> str:
    field = _field(str(error["loc"][0]))
    name = f"--{field}" if field in options else _variable(field)
    own = error["type"] == "value_error"  # raised by a validator of ours, which never shows a secret
    reason = error["ctx"]["error"] if own else f"{error['input']!r} is not accepted"
    return f"{name}: {reason}; give {Settings.model_fields[field].description}"


def _field(loc: str) -> str:
    for name, info in Settings.model_fields.items():
        alias: Any = info.validation_alias
        if loc == name or (isinstance(alias, AliasChoices) and loc in alias.choices):
            return name
    return loc
