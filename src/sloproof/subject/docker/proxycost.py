"""What the engine's port proxy adds to a request, measured; it judges no subject by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sloproof.subject.docker.instance import DockerInstance


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyCost:
    """How long the same request takes past the proxy and through it, in seconds."""

    direct_median_s: float
    published_median_s: float
    added_median_s: float
    added_p99_s: float
    requests: int


def port_proxy_cost(instance: DockerInstance, *, path: str) -> ProxyCost | str:
    """Measure, or say why that is not possible."""
    return f"not measured: {instance.url}{path}"
