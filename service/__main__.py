"""``python -m service``: catches signals before anything slow is imported; the rest is in ``cli``."""

import signal
import sys


def main() -> int:
    """Run the service and return its exit status: 0 stopped as told, 1 failed, 2 wrong usage."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    from service.cli import run  # noqa: PLC0415  # takes half a second, in which a signal may come

    return run(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
