"""The kinds of job there are: one class each, with its parameters; a new kind is added here and only here."""

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Ge, Le

from service.domain.job import JsonObject
from service.ports import JobHandler


@dataclass(frozen=True, slots=True, kw_only=True)
class SleepParams:
    """How long to wait, in seconds."""

    duration_s: Annotated[float, Ge(0), Le(60)]


class Sleep:
    """Wait, as for another service: bound by I/O."""

    kind: ClassVar[str] = "sleep"
    params: ClassVar[type] = SleepParams

    async def run(self, params: SleepParams) -> JsonObject:
        """Wait and say how long."""
        await asyncio.sleep(params.duration_s)
        return {"slept_s": params.duration_s}


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestParams:
    """How many rounds of PBKDF2-HMAC-SHA256 to compute; 1,000,000 take about half a second of one core."""

    rounds: Annotated[int, Ge(1), Le(5_000_000)]


class Digest:
    """Compute, off the event loop: bound by the CPU."""

    kind: ClassVar[str] = "digest"
    params: ClassVar[type] = DigestParams
    slice_rounds: ClassVar[int] = 100_000

    async def run(self, params: DigestParams) -> JsonObject:
        """Chain slices of rounds, so that a cancelled job leaves its thread within a slice."""
        digest = b"sloproof"
        for done in range(0, params.rounds, self.slice_rounds):
            rounds = min(self.slice_rounds, params.rounds - done)
            # pbkdf2_hmac releases the GIL, so the event loop and other digests go on.
            digest = await asyncio.to_thread(hashlib.pbkdf2_hmac, "sha256", digest, b"salt", rounds)
        return {"digest": digest.hex()}


HANDLERS: tuple[JobHandler, ...] = (Sleep(), Digest())
