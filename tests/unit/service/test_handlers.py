"""The kinds of job do what they say."""

import asyncio
import hashlib

import pytest

from service.handlers import HANDLERS, Digest, DigestParams, Sleep, SleepParams


def test_every_kind_is_known_once() -> None:
    kinds = [handler.kind for handler in HANDLERS]
    assert kinds == ["sleep", "digest"]


def test_sleep_says_how_long_it_slept() -> None:
    assert asyncio.run(Sleep().run(SleepParams(duration_s=0))) == {"slept_s": 0}


def test_digest_computes_pbkdf2() -> None:
    expected = hashlib.pbkdf2_hmac("sha256", b"sloproof", b"salt", 1000).hex()
    assert asyncio.run(Digest().run(DigestParams(rounds=1000))) == {"digest": expected}


def test_digest_chains_its_slices() -> None:
    class SmallSlices(Digest):
        slice_rounds = 400

    digest = b"sloproof"
    for rounds in (400, 400, 200):
        digest = hashlib.pbkdf2_hmac("sha256", digest, b"salt", rounds)
    assert asyncio.run(SmallSlices().run(DigestParams(rounds=1000))) == {"digest": digest.hex()}


def test_digest_leaves_the_event_loop_free_and_can_be_cancelled() -> None:
    async def cancel_when_the_loop_has_turned() -> int:
        task = asyncio.create_task(Digest().run(DigestParams(rounds=5_000_000)))
        turns = 0
        while turns < 100:
            await asyncio.sleep(0)
            turns += 1
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return turns

    assert asyncio.run(cancel_when_the_loop_has_turned()) == 100
