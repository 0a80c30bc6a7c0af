"""Look at the machine before a run begins: how calm it is while we do nothing."""

from __future__ import annotations

import time

from sloproof.analysis.stability import Stability, stability
from sloproof.observe import machine

LOOK_S = 1.5


def look() -> Stability:
    """Watch the machine for a moment without doing anything."""
    before = machine.machine()
    time.sleep(LOOK_S)
    return stability(
        before, machine.machine(), clock_source=machine.clock_source(), governor=machine.governor()
    )
