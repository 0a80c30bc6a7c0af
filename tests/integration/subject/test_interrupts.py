from __future__ import annotations

import os
import signal

import pytest

from sloproof.subject.interrupts import deferred


def test_an_interruption_waits_until_the_block_has_ended() -> None:
    steps = []

    def interrupted() -> None:
        with deferred():
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            steps.append("the block went on")
        steps.append("and nothing came after it")

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert steps == ["the block went on"]


def test_without_an_interruption_nothing_happens_and_the_handlers_are_as_before() -> None:
    before = signal.getsignal(signal.SIGINT)

    with deferred():
        pass

    assert signal.getsignal(signal.SIGINT) is before
