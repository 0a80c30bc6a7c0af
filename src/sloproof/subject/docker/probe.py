"""A small HTTP client whose text is run by an image's own Python; it imports nothing else of ours."""

import http.client
import json
import sys
import time

HOST = "127.0.0.1"
WARMUP = 5


def service_times_s(port: int, path: str, *, count: int, within_s: float) -> list[float]:
    """Return how long each of `count` requests took, one after the other on one connection, in seconds.

    Fewer where `within_s` seconds are over. Raises OSError or HTTPException where there is no answer.
    """
    times: list[float] = []
    connection = http.client.HTTPConnection(HOST, port, timeout=within_s)
    end = time.perf_counter() + within_s
    while len(times) < WARMUP + count and time.perf_counter() < end:
        began = time.perf_counter()
        connection.request("GET", path)
        connection.getresponse().read()
        times.append(time.perf_counter() - began)
    connection.close()
    return times[WARMUP:]


if __name__ == "__main__":
    _, port, path, count, within_s = sys.argv
    print(json.dumps(service_times_s(int(port), path, count=int(count), within_s=float(within_s))))  # noqa: T201 - its answer
