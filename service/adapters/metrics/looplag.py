"""Watches how late the event loop is; knows no metric."""

import asyncio
import time

from service.adapters.metrics.instruments import Instruments

_INTERVAL_S = 0.1
_TICKS_PER_GC_LOOK = 10


async def watch(instruments: Instruments) -> None:
    """Measure until cancelled."""
    while True:
        for _ in range(_TICKS_PER_GC_LOOK):
            start = time.perf_counter()
            await asyncio.sleep(_INTERVAL_S)
            instruments.loop_lagged(max(0.0, time.perf_counter() - start - _INTERVAL_S))
        instruments.collect_garbage_statistics()
