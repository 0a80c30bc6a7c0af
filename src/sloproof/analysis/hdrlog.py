"""Latencies as an HdrHistogram log, which other tools read; it knows the format and opens no file.

The format is version 1.3 of the log with V2 compressed histograms, as the Java reference implementation of
HdrHistogram (HistogramLogWriter, AbstractHistogram.encodeIntoCompressedByteBuffer) writes it.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np

from sloproof.analysis.samples import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from sloproof.analysis.samples import Samples

COOKIE, COMPRESSED_COOKIE = 0x1C849313, 0x1C849314
DIGITS = 3
SUB_BUCKET_BITS = 11  # 2,048 steps in each power of two: three significant digits
NANOSECONDS = 1e9
NANOSECONDS_IN_MS = 1_000_000
UNANSWERED_NS = 3_600 * 10**9
"""Where a request without an answer stands: an hour, the greatest value. Leaving it out would hide it."""
INTERVAL_S = 1.0
ENDS_A_TAG = re.compile(r"[\s,]")


@dataclass(frozen=True, slots=True)
class TimedSamples:
    """The samples of a trial, with the Unix time from which its clock counts."""

    began_at: float
    samples: Samples


def hdr_log(trials: Sequence[TimedSamples]) -> str:
    """Return the log of the load phase of trials: a line for each second and endpoint, which is its tag.

    Latencies count from the intended start, in nanoseconds. A tag is one word: what would end it is ``_``.
    """
    ordered = sorted(trials, key=lambda trial: trial.began_at)
    base = ordered[0].began_at if ordered else 0.0
    unanswered = sum(int((~_scored(trial).answered).sum()) for trial in ordered)
    header = (
        "#[Latency from the intended start in nanoseconds; Interval_Max in milliseconds "
        f"(maxValueUnitRatio {NANOSECONDS_IN_MS})]\n"
        f"#[{unanswered} requests were never answered: each is recorded as an hour]\n"
        "#[Histogram log format version 1.3]\n"
        f"#[BaseTime: {base:.3f} (seconds since epoch)]\n"
        f"#[StartTime: {base:.3f} (seconds since epoch), {datetime.fromtimestamp(base, UTC).isoformat()}]\n"
        '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
    )
    return header + "".join(line for trial in ordered for line in _lines(trial, base))


def _scored(trial: TimedSamples) -> Samples:
    return trial.samples.select(phase=Phase.LOAD)


def _lines(trial: TimedSamples, base: float) -> Iterator[str]:
    scored = _scored(trial)
    if not len(scored):
        return
    begin_s = float(scored.intended_s.min())
    second = ((scored.intended_s - begin_s) / INTERVAL_S).astype(np.int64)
    nanoseconds = np.minimum(np.maximum(scored.latency_s * NANOSECONDS, 0), UNANSWERED_NS).astype(np.int64)
    for each in np.unique(second):
        since_base_s = trial.began_at + begin_s + each * INTERVAL_S - base
        for endpoint in scored.endpoints:
            values = nanoseconds[(second == each) & (scored.endpoint == endpoint)]
            if len(values):
                yield (
                    f"Tag={ENDS_A_TAG.sub('_', endpoint)},{since_base_s:.3f},{INTERVAL_S:.3f},"
                    f"{values.max() / NANOSECONDS_IN_MS:.3f},{_encoded(values)}\n"
                )


def _encoded(values: NDArray[np.int64]) -> str:
    """Return a histogram of whole numbers, in Base64."""
    exponents = np.maximum(np.frexp(values.astype(np.float64))[1] - SUB_BUCKET_BITS, 0)
    places, counts = np.unique(
        (exponents << (SUB_BUCKET_BITS - 1)) + (values >> exponents), return_counts=True
    )
    body = b"".join(map(_varint, _runs(places.tolist(), counts.tolist())))
    settings = struct.pack(">iiqqd", 0, DIGITS, 1, UNANSWERED_NS, 1.0)
    packed = zlib.compress(struct.pack(">ii", COOKIE, len(body)) + settings + body)
    return base64.b64encode(struct.pack(">ii", COMPRESSED_COOKIE, len(packed)) + packed).decode()


def _runs(places: Iterable[int], counts: Iterable[int]) -> Iterator[int]:
    """Yield the count at each place from 0 on, and instead of a run of zeros its length, negative.

    >>> list(_runs([0, 3, 4], [7, 2, 1]))
    [7, -2, 2, 1]
    """
    end = 0
    for place, count in zip(places, counts, strict=True):
        if place > end:
            yield end - place
        yield count
        end = place + 1


def _varint(value: int) -> bytes:
    """Return a number in ZigZag LEB128, of at most nine bytes: seven bits a byte, the sign in the lowest.

    >>> [_varint(value).hex() for value in (0, -1, 1, 64)]
    ['00', '01', '02', '8001']
    """
    zigzag = (value << 1) ^ (value >> 63)
    low = bytearray()
    while zigzag > 0x7F:  # noqa: PLR2004 - what seven bits hold
        low.append(zigzag & 0x7F | 0x80)
        zigzag >>= 7
    return bytes((*low, zigzag))
