"""The folder of one run: where each file lies, and how it gets there without ever being half there."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping  # noqa: TC003 - resolved when facts are read back
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json

from sloproof.experiment.prometheus.reading import read
from sloproof.experiment.record import BackendName, TrialRecord
from sloproof.experiment.resume import that_count
from sloproof.files import sync, write_atomically
from sloproof.load.files import read_jobs, read_samples
from sloproof.load.workers import Workers
from sloproof.observe.scrape import Scrape, ScrapeError
from sloproof.slo.problems import WrongInput

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from sloproof.analysis.jobs import Jobs
    from sloproof.analysis.samples import Samples
    from sloproof.experiment.prometheus.reading import Reading

RECORD = TypeAdapter(TrialRecord)


class RunFolderError(WrongInput):
    """A folder is not a run of ours, or cannot be written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayFacts:
    """What replaying a recording comes to: how many requests in a load phase of how many seconds."""

    requests: int
    load_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFacts:
    """What holds for a whole run: when it began (ISO 8601), what was asked for, and on which machine.

    ``source`` leads from the run's folder to the experiment file, ``inputs`` are the SHA-256 digests of the
    files that define the run, ``subject`` is what the backend had to say of what it runs, ``calibration``
    what it measured of itself before the first trial, ``workers`` the processes that send the load,
    ``prometheus`` which one was to watch, or why none. ``replays`` tells where the experiment replays a
    recording, and what of it: a report needs no recording. ``looks`` are the blocks after which the run was
    to be looked at, the last of them the most that it may take; none where it is judged once, after
    ``blocks``.
    """

    started_at: str
    source: str
    inputs: Mapping[str, str]
    blocks: int
    seed: int
    backend: BackendName
    backend_reason: str
    subject: Mapping[str, Any]
    calibration: Mapping[str, Any]
    environment: Mapping[str, Any]
    replays: Mapping[str, ReplayFacts] = field(default_factory=dict)
    workers: Workers = field(default_factory=Workers)
    looks: tuple[int, ...] = ()
    prometheus: Mapping[str, Any] = field(default_factory=dict)


FACTS = TypeAdapter(RunFacts)


@dataclass(frozen=True, slots=True)
class TrialFolder:
    """The files of one trial; `state` is the subject's own and goes when the trial was clean."""

    path: Path

    @property
    def state(self) -> Path:
        """Return the folder in which the subject keeps its store."""
        return self.path / "state"

    @property
    def log(self) -> Path:
        """Return the file of everything that the subject wrote."""
        return self.path / "subject.log"

    @property
    def metrics_before(self) -> Path:
        """Return the scrape taken before the load phase."""
        return self.path / "metrics-before.prom"

    @property
    def metrics_after(self) -> Path:
        """Return the scrape taken when the load phase and its jobs had ended."""
        return self.path / "metrics-after.prom"

    def samples(self) -> Samples:
        """Read the requests of the trial."""
        return read_samples(self.path)

    def jobs(self) -> Jobs:
        """Read the ledger of accepted jobs."""
        return read_jobs(self.path)

    def reading(self) -> Reading | None:
        """Read what a Prometheus said of the trial; ``None`` in a run from before there was one."""
        return read(self.path)

    def gain(self) -> Scrape | None:
        """Return what the subject's counters gained over the load phase; ``None`` where they do not tell.

        They do not when the subject was not there to be asked, or has lost what it had counted.
        """
        try:
            before, after = (
                Scrape.parse(path.read_text()) for path in (self.metrics_before, self.metrics_after)
            )
            return after.since(before)
        except (FileNotFoundError, ScrapeError):
            return None


@dataclass(frozen=True, slots=True)
class RunFolder:
    """The folder of one run."""

    path: Path

    @staticmethod
    def check_root(root: Path) -> None:
        """Find out before any work that runs can be kept under `root`. Raises RunFolderError."""
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root):
                pass
        except OSError as error:
            raise RunFolderError(
                f"cannot make a folder for the run under {root}: {error.strerror}"
            ) from error

    @classmethod
    def create(cls, root: Path, *, name: str, now: datetime) -> RunFolder:
        """Make the folder of a new run under `root`, named by the time and the experiment.

        Raises:
            RunFolderError: it cannot be made.

        """
        stem = f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{name}"
        try:
            root.mkdir(parents=True, exist_ok=True)
            for suffix in ("", *(f"-{n}" for n in range(2, 100))):
                path = root / (stem + suffix)
                try:
                    path.mkdir()
                except FileExistsError:
                    continue
                (path / "inputs").mkdir()
                (path / "trials").mkdir()
                return cls(path)
        except OSError as error:
            raise RunFolderError(
                f"cannot make a folder for the run under {root}: {error.strerror}"
            ) from error
        raise RunFolderError(f"{root} already holds a hundred runs named {stem}")

    @property
    def experiment(self) -> Path:
        """Return the copy of the experiment file that the run was made from."""
        return self.path / "inputs" / "experiment.yaml"

    @property
    def definition(self) -> Path:
        """Return the copy of the SLO file that the run was made from."""
        return self.path / "inputs" / "slo.yaml"

    @property
    def report(self) -> Path:
        """Return the page that people read."""
        return self.path / "report.html"

    @property
    def recordings(self) -> Path:
        """Return the folder of the copies of the files that the run replays, under their own names."""
        return self.path / "inputs" / "recordings"

    def keep_inputs(
        self, *, experiment: Path, definition: Path, locustfile: Path, recordings: Collection[Path] = ()
    ) -> None:
        """Copy the files that define the run into it."""
        if recordings:
            self.recordings.mkdir()
        for source, target in (
            (experiment, self.experiment),
            (definition, self.definition),
            (locustfile, self.path / "inputs" / "locustfile.py"),
            *((each, self.recordings / each.name) for each in recordings),
        ):
            shutil.copyfile(source, target)
            sync(target)

    def write_facts(self, facts: RunFacts) -> None:
        """Write what holds for the whole run."""
        write_atomically(
            self.path / "run.json", json.dumps(asdict(facts), indent=2, ensure_ascii=False) + "\n"
        )

    def facts(self) -> RunFacts:
        """Read what holds for the whole run.

        Raises:
            RunFolderError: the folder is not that of a run.

        """
        try:
            return FACTS.validate_json((self.path / "run.json").read_bytes())
        except (OSError, ValidationError) as error:
            raise RunFolderError(
                f"{self.path} is not the folder of a run: run.json is missing or broken"
            ) from error

    def trial(self, name: str) -> TrialFolder:
        """Return the folder of a trial."""
        return TrialFolder(self.path / "trials" / name)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep every other process from running trials into the folder.

        Raises RunFolderError: one does already.
        """
        with (self.path / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise RunFolderError(f"{self.path} is still being run by another process") from None
            yield

    def append(self, record: TrialRecord) -> None:
        """Add a finished trial; when this returns it is on the disk, its files first."""
        folder = self.trial(record.folder).path
        for path in (*filter(os.path.isfile, folder.iterdir()), folder, folder.parent):
            sync(path)
        # JSON has no number for the lag of what never started: it is written, and read back, as a text.
        line = to_json(record, inf_nan_mode="strings") + b"\n"
        with (self.path / "trials.jsonl").open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        sync(self.path)

    def clear_unfinished(self) -> None:
        """Remove what an interrupted run has left half done: a line cut short, a trial without a line."""
        path = self.path / "trials.jsonl"
        if path.exists():
            with path.open("rb+") as file:
                file.truncate(file.read().rfind(b"\n") + 1)
                os.fsync(file.fileno())
        finished = {record.folder for record in self._all_records()}
        for folder in (self.path / "trials").iterdir():
            if folder.name not in finished:
                shutil.rmtree(folder)

    def records(self) -> list[TrialRecord]:
        """Return the finished trials that count, oldest first: of each block those of the last attempt.

        Raises:
            RunFolderError: a line is not a record.

        """
        return that_count(self._all_records())

    def set_aside(self) -> int:
        """Return how many finished trials do not count, because their block was interrupted and run again."""
        return len(self._all_records()) - len(self.records())

    def _all_records(self) -> list[TrialRecord]:
        """Return the finished trials, oldest first; a last line cut short by a crash is no trial.

        Raises:
            RunFolderError: any other line is not a trial.

        """
        path = self.path / "trials.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        if lines and not lines[-1].endswith("\n"):
            lines.pop()
        records = []
        for number, line in enumerate(lines, start=1):
            try:
                records.append(RECORD.validate_json(line))
            except ValidationError as error:
                raise RunFolderError(f"{path}:{number}: not the record of a trial: {error}") from error
        return records


def digest(path: Path) -> str:
    """Return the SHA-256 of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
