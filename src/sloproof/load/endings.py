"""The exit statuses of a generator's processes."""

from __future__ import annotations

ERROR = 2  # somebody has to put something right, and was told
ORPHANED = 3  # its parent or its master is gone
NO_MASTER = 4  # a worker found none
NOT_SEATED = 5  # a worker found one that took no notice: it was ending, or is Locust's own
