"""What only containers do."""

from __future__ import annotations

import os
import re
import socket
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest
from docker.errors import NotFound

from sloproof.subject.docker import Container, DockerSubject, Engine, EngineError, ProxyCost, port_proxy_cost
from sloproof.subject.owner import LABEL, Owner
from sloproof.subject.port import HOST, Cell, SubjectError
from tests.integration.subject.houses import DEADLINE_S, await_ready, until
from tests.integration.subject.owners import left_by_a_dead_owner

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from docker.models.containers import Container as Started

UP_AND_WAIT = "import signal; print('up', flush=True); signal.pause()"
STORE = "mkdir /data/a; echo stored > /data/a/b; ln /data/a/b /data/again; ln -s /etc/passwd /data/link"
OWNER = """
import signal, sys
from pathlib import Path
from sloproof.subject.docker import Container, DockerSubject, Engine
from sloproof.subject.port import Cell
image, port, folder = sys.argv[1:]
container = Container(image=image, command=["sleep", "600"], env={}, port=8000, folder="/store")
cell = Cell(factors={}, folder=Path(folder), log=Path(folder) / "log", port=int(port))
instance = DockerSubject(engine=Engine.connect(), container=container).start(cell)
print(instance.id, flush=True)
signal.pause()
"""


@dataclass(frozen=True, slots=True)
class Bare:
    """A container with a Python and nothing else."""

    engine: Engine
    image: str

    def subject(self, *command: str, **asked: Any) -> DockerSubject:  # noqa: ANN401 - passed on
        container = Container(image=self.image, command=command, env={}, port=8000, **asked)
        return DockerSubject(engine=self.engine, container=container)

    def python(self, code: str, **asked: Any) -> DockerSubject:  # noqa: ANN401 - passed on
        return self.subject("python", "-c", code, **asked)

    def own(self) -> list[str]:
        """Return every container and volume of this process."""
        label = f"{LABEL}={Owner.present().mark}"
        containers = self.engine.client.containers.list(all=True, filters={"label": label})
        volumes = self.engine.client.volumes.list(filters={"label": label})
        return [str(each.name) for each in containers] + [str(each.name) for each in volumes]


@pytest.fixture
def bare(engine: Engine, bare_image: str) -> Iterator[Bare]:
    yield Bare(engine, bare_image)
    engine.remove_own()  # a test that failed is not to fail the next


def inspected(engine: Engine, container_id: str) -> Mapping[str, Any]:
    return engine.client.containers.get(container_id).attrs


def exists(engine: Engine, container_id: str) -> bool:
    try:
        engine.client.containers.get(container_id)
    except NotFound:
        return False
    return True


def test_limits_are_set_as_they_were_asked_for(jobs_container: DockerSubject, cell: Cell) -> None:
    with jobs_container.start(cell) as instance:
        host = inspected(jobs_container.engine, instance.id)["HostConfig"]
    jobs_container.clear(cell)

    assert host["NanoCpus"] == 1_500_000_000
    assert host["CpusetCpus"] == "0"
    assert host["Memory"] == host["MemorySwap"] == 512 * 2**20
    assert host["ReadonlyRootfs"]
    assert host["RestartPolicy"]["Name"] in {"", "no"}


def test_no_probe_of_the_image_is_part_of_the_load(jobs_container: DockerSubject, cell: Cell) -> None:
    assert (
        "Healthcheck"
        in jobs_container.engine.client.images.get(jobs_container.container.image).attrs["Config"]
    )

    with jobs_container.start(cell) as instance:
        config = inspected(jobs_container.engine, instance.id)["Config"]
    jobs_container.clear(cell)

    assert config["Healthcheck"]["Test"] == ["NONE"]


def test_the_port_is_published_on_the_loopback_interface_only(bare: Bare, cell: Cell) -> None:
    with bare.python(UP_AND_WAIT).start(cell) as instance:
        published = inspected(bare.engine, instance.id)["NetworkSettings"]["Ports"]

    assert published == {"8000/tcp": [{"HostIp": HOST, "HostPort": str(cell.port)}]}


def test_memory_that_ran_out_is_told(bare: Bare, cell: Cell) -> None:
    with bare.python("print(len(b'x' * 2**30))", memory_bytes=32 * 2**20).start(cell) as instance:
        assert instance.wait(DEADLINE_S) == -9
        assert instance.ending() == "out of memory (limit 32m)"


def test_an_end_that_we_asked_for_is_not_called_out_of_memory(bare: Bare, cell: Cell) -> None:
    with bare.python(UP_AND_WAIT, memory_bytes=32 * 2**20).start(cell) as instance:
        assert instance.ending() is None
        instance.kill()
        assert instance.exit_status() == -9
        assert instance.ending() is None


@pytest.mark.parametrize(("code", "status"), [("raise SystemExit(7)", 7), ("import os; os.abort()", -6)])
def test_the_exit_status_is_told_as_a_process_tells_it(
    bare: Bare, cell: Cell, code: str, status: int
) -> None:
    # Signals without a handler do not reach a container's first process: it is a shell's child that aborts.
    with bare.subject("sh", "-c", f"python -c '{code}'; exit $?").start(cell) as instance:
        assert instance.wait(DEADLINE_S) == status


def test_the_image_says_by_which_signal_it_is_asked_to_stop(
    engine: Engine, bare_image: str, cell: Cell, tmp_path: Path
) -> None:
    code = "import signal, sys; signal.signal(signal.SIGUSR1, lambda *_: sys.exit(3))"
    image = built(engine, tmp_path, f"FROM {bare_image}\nSTOPSIGNAL SIGUSR1\n")
    try:
        with Bare(engine, image).python(f"{code}; {UP_AND_WAIT}").start(cell) as instance:
            until(lambda: "up" in instance.log_tail(1), "it is up")
            instance.terminate()
            assert instance.wait(DEADLINE_S) == 3
    finally:
        engine.client.images.remove(image, force=True)


def test_output_of_both_kinds_is_in_the_log(bare: Bare, cell: Cell) -> None:
    code = "import sys; print('said', flush=True); print('warned', file=sys.stderr)"
    with bare.python(code).start(cell) as instance:
        assert instance.wait(DEADLINE_S) == 0
        assert sorted(cell.log.read_text().split()) == ["said", "warned"]


def test_without_a_limit_or_a_folder_nothing_is_limited_or_kept(bare: Bare, cell: Cell) -> None:
    subject = bare.python(UP_AND_WAIT)
    with subject.start(cell) as instance:
        attributes = inspected(bare.engine, instance.id)
    subject.keep(cell)

    assert not attributes["HostConfig"]["NanoCpus"]
    assert not attributes["HostConfig"]["Memory"]
    assert [mount["Destination"] for mount in attributes["Mounts"]] == ["/data"]  # the image's own
    assert list(cell.folder.iterdir()) == []


def test_what_is_kept_has_left_the_engine(bare: Bare, cell: Cell) -> None:
    subject = bare.subject("sh", "-c", STORE, folder="/data")  # a folder that the image gives to its user
    with subject.start(cell) as instance:
        assert instance.wait(DEADLINE_S) == 0, instance.log_tail(5)
    assert len(bare.own()) == 1

    subject.keep(cell)

    assert bare.own() == []
    assert {path.relative_to(cell.folder).as_posix() for path in cell.folder.rglob("*")} == {
        "a",
        "a/b",
        "again",
    }
    assert (cell.folder / "a" / "b").read_text() == (cell.folder / "again").read_text() == "stored\n"
    subject.keep(cell)  # of what is kept already: nothing happens
    assert bare.own() == []


@pytest.mark.parametrize(
    ("command", "asked", "words"),
    [
        pytest.param(["no-such-command"], {}, "no-such-command.*not found", id="an unknown command"),
        pytest.param(["true"], {"cpus": 4_096}, "CPUs", id="more processors than there are"),
        pytest.param(["true"], {"cpuset": "4096"}, "(?i)cpus", id="a processor that is not there"),
        pytest.param(["true"], {"memory_bytes": 1}, "(?i)memory", id="less memory than an engine gives"),
        pytest.param(["true"], {"folder": "data"}, "absolute|invalid", id="a folder that is no path"),
    ],
)
def test_what_the_engine_refuses_is_told_in_its_words_and_leaves_nothing(
    bare: Bare, cell: Cell, command: list[str], asked: dict[str, Any], words: str
) -> None:
    with pytest.raises(SubjectError, match=words):
        bare.subject(*command, **{"folder": "/store", **asked}).start(cell)

    assert bare.own() == []


def test_a_start_that_fails_keeps_what_earlier_ones_have_stored(bare: Bare, cell: Cell) -> None:
    subject = bare.subject("true", folder="/store")
    with subject.start(cell) as instance:
        assert instance.wait(DEADLINE_S) == 0

    with pytest.raises(SubjectError):
        bare.subject("no-such-command", folder="/store").start(cell)

    assert len(bare.own()) == 1
    subject.clear(cell)


def test_what_a_killed_owner_left_is_swept_and_what_a_living_one_runs_is_not(
    bare: Bare, cell: Cell, tmp_path: Path
) -> None:
    with bare.subject("sleep", "600", folder="/store").start(cell) as ours:
        other = tmp_path / "other"
        other.mkdir()
        with left_by_a_dead_owner(OWNER, bare.image, str(cell.port + 1), str(other)) as container_id:
            left = inspected(bare.engine, container_id)
            volume = next(each["Name"] for each in left["Mounts"] if each["Destination"] == "/store")
            swept = bare.engine.sweep()

        assert f"container {left['Name'].lstrip('/')}" in swept
        assert f"volume {volume}" in swept
        assert not exists(bare.engine, container_id)
        assert ours.exit_status() is None
    assert [each.split()[0] for each in bare.engine.remove_own()] == ["volume"]


@contextmanager
def container_of(engine: Engine, image: str, owner: Owner) -> Iterator[Started]:
    container = engine.client.containers.create(image, ["sleep", "600"], labels={LABEL: owner.mark})
    try:
        yield container
    finally:
        if exists(engine, str(container.id)):
            container.remove(force=True, v=True)


@pytest.mark.parametrize("running", [False, True], ids=["ended", "running"])
def test_of_another_boot_only_what_does_not_run_is_swept(
    engine: Engine, bare_image: str, *, running: bool
) -> None:
    before_a_reboot = replace(Owner.present(), boot="00000000-0000-0000-0000-000000000000")
    with container_of(engine, bare_image, before_a_reboot) as container:
        if running:
            container.start()
        engine.sweep()
        assert exists(engine, str(container.id)) is running


def test_what_a_sloproof_out_of_sight_has_is_not_swept(engine: Engine, bare_image: str) -> None:
    with container_of(engine, bare_image, replace(Owner.present(), namespace="1")) as container:
        engine.sweep()
        assert exists(engine, str(container.id))


def test_the_cost_of_the_port_proxy_is_measured_and_leaves_nothing(
    jobs_container: DockerSubject, cell: Cell
) -> None:
    with jobs_container.start(cell) as instance:
        await_ready(instance)
        cost = port_proxy_cost(instance, path="/readyz")
        own = f"{LABEL}={Owner.present().mark}"
        assert len(jobs_container.engine.client.containers.list(filters={"label": own}, all=True)) == 1
    jobs_container.clear(cell)

    assert isinstance(cost, ProxyCost), cost
    assert cost.requests >= 20
    assert cost.direct_median_s > 0
    assert cost.added_median_s == cost.published_median_s - cost.direct_median_s


def test_where_the_proxy_cannot_be_measured_a_reason_is_given(bare: Bare, cell: Cell) -> None:
    with bare.python(UP_AND_WAIT).start(cell) as instance:
        reason = port_proxy_cost(instance, path="/")

    assert isinstance(reason, str)
    assert "refused" in reason


def test_an_engine_tells_what_it_is(engine: Engine) -> None:
    facts = engine.facts()

    assert engine.description == f"Docker {facts['version']}"
    assert facts["cgroup"] in {"1", "2"}
    assert all(facts.values())


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        pytest.param(
            "unix:///nonexistent/docker.sock", "no Docker engine answers at .*: No such file", id="nothing"
        ),
        pytest.param("tcp://192.0.2.1:2375", "on another machine", id="another host"),
        pytest.param("ssh://someone@192.0.2.1", "on another machine", id="another host by ssh"),
        pytest.param("tcp://engine.example:2376", "on another machine", id="another host by name"),
    ],
)
def test_why_there_is_no_engine_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, address: str, reason: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", address)

    with pytest.raises(EngineError, match=reason) as told:
        Engine.connect()

    assert "\n" not in str(told.value)


def test_an_engine_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as silent:
        silent.bind((HOST, 0))
        silent.listen()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://{HOST}:{silent.getsockname()[1]}")

        with pytest.raises(EngineError, match="does not answer in time"):
            Engine.connect()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may open every socket")
def test_a_socket_that_may_not_be_opened_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as locked:
        locked.bind(str(tmp_path / "docker.sock"))
        (tmp_path / "docker.sock").chmod(0)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/docker.sock")

        with pytest.raises(EngineError, match="Permission denied"):
            Engine.connect()


def built(engine: Engine, folder: Path, dockerfile: str, **args: str) -> str:
    context = folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(dockerfile)
    return engine.build(context, dockerfile=None, args=args)


def test_an_image_is_built_with_arguments_and_known_by_its_id(
    engine: Engine, bare_image: str, tmp_path: Path
) -> None:
    image = built(
        engine, tmp_path, f"ARG COLOUR\nFROM {bare_image}\nARG COLOUR\nENV COLOUR=$COLOUR\n", COLOUR="red"
    )
    try:
        assert re.fullmatch("sha256:[0-9a-f]{64}", image)
        assert "COLOUR=red" in engine.client.images.get(image).attrs["Config"]["Env"]
        assert engine.find(image) == image
        assert engine.digest(image) is None
    finally:
        engine.client.images.remove(image, force=True)


def test_a_build_that_fails_is_told_with_its_command_and_the_end_of_its_output(
    engine: Engine, bare_image: str, tmp_path: Path
) -> None:
    with pytest.raises(SubjectError, match=r"docker build --build-arg A=1 .*/context") as told:
        built(engine, tmp_path, f"FROM {bare_image}\nRUN echo so far so good; exit 3\n", A="1")

    assert "so far so good" in str(told.value)
    assert "returned a non-zero code: 3" in str(told.value)


def test_a_dockerfile_that_is_none_is_told(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(SubjectError, match="it has no Dockerfile"):
        engine.build(tmp_path, dockerfile=None, args={})
    with pytest.raises(SubjectError, match="FORM"):
        built(engine, tmp_path, "FORM scratch\n")


def test_an_image_that_is_not_there_is_not_pulled(engine: Engine) -> None:
    with pytest.raises(SubjectError, match="docker pull sloproof/no-such-image"):
        engine.find("sloproof/no-such-image")
