"""Subjects that are containers of an engine on this machine; it pulls nothing and reads no experiment."""

from sloproof.subject.docker.engine import Engine
from sloproof.subject.docker.errors import EngineError
from sloproof.subject.docker.instance import DockerInstance
from sloproof.subject.docker.proxycost import ProxyCost, port_proxy_cost
from sloproof.subject.docker.subject import Container, DockerSubject

__all__ = [
    "Container",
    "DockerInstance",
    "DockerSubject",
    "Engine",
    "EngineError",
    "ProxyCost",
    "port_proxy_cost",
]
