"""Latencies as an HdrHistogram log, which other tools read; it knows the format and opens no file.

The format is version 1.3 of the log with V2 compressed histograms, as the Java reference implementation of
HdrHistogram (HistogramLogWriter, AbstractHistogram.encodeIntoCompressedByteBuffer) writes it.
"""

from __future__ import annotations

import base64
import re
import struct
import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from sloproof.analysis.samples import Samples

COOKIE, COMPRESSED_COOKIE = 0x1C849313, 0x1C849314
DIGITS = 3
SEVEN_BITS = 0x7F
SUB_BUCKET_BITS = 11  # 2,048 steps in each power of two: three significant digits
NANOSECONDS = 1e9
NANOSECONDS_IN_MS = 1_000_000
UNANSWERED_NS = 3_600 * 10**9
"""Where a request without an answer stands: an hour, the greatest value. Leaving it out would hide it."""
BITS_OF_A_VALUE = UNANSWERED_NS.bit_length()
VALUES_AT_ONCE = 1 << 17
"""Enough for NumPy to be quick, and a few megabytes."""
INTERVAL_S = 1.0
ENDS_A_TAG = re.compile(r"[\s,]")


class _Interval(NamedTuple):
    """A line of the log: its time, still without the base that all share, then the rest of it."""

    trial_began_at: float
    begin_s: float
    tag: str
    rest: str


class HdrLog:
    """The log of the load phase of trials: a line for each second and endpoint, which is its tag.

    Latencies count from the intended start, in nanoseconds. A tag is one word: what would end it is ``_``.
    A trial is let go of once it is added: what is kept of it are its lines.
    """

    def __init__(self) -> None:
        self._began_at: list[float] = []
        self._intervals: list[_Interval] = []
        self._unanswered = 0

    def add(self, began_at: float, requests: Mapping[str, Samples]) -> None:
        """Add the load phase of a trial, its requests by endpoint; `began_at` is its clock's Unix time 0."""
        self._began_at.append(began_at)
        self._unanswered += sum(int(np.count_nonzero(~each.answered)) for each in requests.values())
        self._intervals += _intervals(requests, began_at)

    def text(self) -> str:
        """Return the log as it stands, the trials in the order in which they began."""
        base = min(self._began_at, default=0.0)
        began = datetime.fromtimestamp(base, UTC).isoformat()
        header = (
            "#[Latency from the intended start in nanoseconds; Interval_Max in milliseconds "
            f"(maxValueUnitRatio {NANOSECONDS_IN_MS})]\n"
            f"#[{self._unanswered} requests were never answered: each is recorded as an hour]\n"
            "#[Histogram log format version 1.3]\n"
            f"#[BaseTime: {base:.3f} (seconds since epoch)]\n"
            f"#[StartTime: {base:.3f} (seconds since epoch), {began}]\n"
            '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"\n'
        )
        return header + "".join(
            f"Tag={each.tag},{each.trial_began_at + each.begin_s - base:.3f},{each.rest}\n"
            for each in sorted(self._intervals, key=lambda each: each.trial_began_at)
        )


def _intervals(requests: Mapping[str, Samples], began_at: float) -> list[_Interval]:
    """Return the intervals of a trial in their order: by second, then by endpoint."""
    begin_s = min((float(each.intended_s.min()) for each in requests.values()), default=0.0)
    found = []
    for endpoint, each in requests.items():
        second = ((each.intended_s - begin_s) / INTERVAL_S).astype(np.int64)
        nanoseconds = np.clip(each.latency_s * NANOSECONDS, 0, UNANSWERED_NS).astype(np.int64)
        tag = ENDS_A_TAG.sub("_", endpoint)
        found += [
            _Interval(began_at, begin_s + number * INTERVAL_S, tag, rest)
            for number, rest in _histograms(second, nanoseconds)
        ]
    return sorted(found, key=lambda interval: interval.begin_s)


def _histograms(second: NDArray[np.int64], values: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
    """Yield each second that has values, with its length, its maximum and its histogram in Base64.

    What takes a step a value is done for many seconds together, in NumPy.
    """
    second, values = _in_order(second, values)
    ends = _ends(second) + 1
    cuts = np.unique(ends[np.searchsorted(ends, np.arange(VALUES_AT_ONCE, len(second), VALUES_AT_ONCE))])
    for some_seconds, theirs in zip(np.split(second, cuts), np.split(values, cuts), strict=True):
        if len(theirs):
            yield from _histograms_at_once(some_seconds, theirs)


def _histograms_at_once(second: NDArray[np.int64], values: NDArray[np.int64]) -> Iterator[tuple[int, str]]:
    """Yield the same of values in the order of their seconds, then of themselves."""
    exponents = np.maximum(np.frexp(values.astype(np.float64))[1] - SUB_BUCKET_BITS, 0)
    places = (exponents.astype(np.int64) << (SUB_BUCKET_BITS - 1)) + (values >> exponents)
    ends_second = _ends(second)
    ends_place = np.flatnonzero(np.append((np.diff(places) != 0) | (np.diff(second) != 0), True))
    counts = np.diff(ends_place, prepend=-1)
    firsts = np.searchsorted(ends_place, np.append(0, ends_second[:-1] + 1))
    body, starts = _bodies(places[ends_place], counts, firsts)
    for each, greatest, begin, end in zip(
        second[ends_second].tolist(),
        values[ends_second].tolist(),
        starts.tolist(),
        [*starts[1:].tolist(), len(body)],
        strict=True,
    ):
        encoded = _encoded(body[begin:end])
        yield each, f"{INTERVAL_S:.3f},{greatest / NANOSECONDS_IN_MS:.3f},{encoded}"


def _in_order(
    second: NDArray[np.int64], values: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return values in the order of their seconds, then of themselves."""
    if int(second.max()) < 1 << (63 - BITS_OF_A_VALUE):  # both fit into one number: much quicker to sort
        packed = np.sort((second << BITS_OF_A_VALUE) | values)
        return packed >> BITS_OF_A_VALUE, packed & ((1 << BITS_OF_A_VALUE) - 1)
    order = np.lexsort((values, second))
    return second[order], values[order]


def _ends(column: NDArray[np.int64]) -> NDArray[np.intp]:
    """Return the last row of each run of equal numbers."""
    return np.append(np.flatnonzero(np.diff(column)), len(column) - 1)


def _bodies(
    places: NDArray[np.int64], counts: NDArray[np.int64], firsts: NDArray[np.intp]
) -> tuple[bytes, NDArray[np.int64]]:
    """Return the bodies of histograms behind each other, and where each begins.

    A body has the count at each place from 0 on, and instead of a run of zeros its length, negative.
    `firsts` are where in `places` a histogram begins.
    """
    before = np.append(-1, places[:-1])
    before[firsts] = -1
    numbers = np.stack((before + 1 - places, counts), axis=1)
    written = np.stack((numbers[:, 0] != 0, np.ones(len(counts), dtype=np.bool_)), axis=1)
    body, starts = _varints(numbers[written])
    return body, starts[np.append(0, np.cumsum(written))[2 * firsts]]


def _varints(numbers: NDArray[np.int64]) -> tuple[bytes, NDArray[np.int64]]:
    """Return numbers in ZigZag LEB128, seven bits a byte with the sign in the lowest, and where each begins.

    >>> body, starts = _varints(np.array([0, -1, 1, 64, -8_000_000]))
    >>> body.hex(" "), starts.tolist()
    ('00 01 02 80 01 ff c7 d0 07', [0, 1, 2, 3, 5])
    """
    zigzag = (numbers << 1) ^ (numbers >> 63)
    lengths = np.ones(len(zigzag), dtype=np.int64)
    rows = np.flatnonzero(zigzag > SEVEN_BITS)  # few numbers take more than a byte
    left = zigzag[rows]
    for bits in range(7, int(left.max(initial=0)).bit_length(), 7):
        lengths[rows] += left >= (1 << bits)
    starts = np.cumsum(lengths) - lengths
    body = np.empty(int(lengths.sum()), dtype=np.uint8)
    body[starts] = zigzag & SEVEN_BITS
    places = starts[rows]
    while len(left):
        body[places] |= 0x80
        left, places = left >> 7, places + 1
        body[places] = left & SEVEN_BITS
        more = left > SEVEN_BITS
        left, places = left[more], places[more]
    return body.tobytes(), starts


def _encoded(body: bytes) -> str:
    """Return a histogram in Base64."""
    settings = struct.pack(">iiqqd", 0, DIGITS, 1, UNANSWERED_NS, 1.0)
    packed = zlib.compress(struct.pack(">ii", COOKIE, len(body)) + settings + body)
    return base64.b64encode(struct.pack(">ii", COMPRESSED_COOKIE, len(packed)) + packed).decode()
