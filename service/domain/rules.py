"""When an attempt is tried again and when a job is given up; values in, values out."""

from dataclasses import dataclass

from service.domain.job import Failed, Retry


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """How often a job is started at most, and how long a failed attempt waits (doubled each time)."""

    max_attempts: int
    first_delay_s: float = 0.2
    max_delay_s: float = 30.0

    def after_failure(self, *, attempt: int, reason: str, now: float) -> Retry | Failed:
        """Decide about an attempt whose handler raised.

        >>> RetryRule(max_attempts=3).after_failure(attempt=2, reason="disk full", now=100.0)
        Retry(error='disk full', available_at=100.4)
        >>> RetryRule(max_attempts=3).after_failure(attempt=3, reason="disk full", now=100.0)
        Failed(error='disk full (attempt 3 of 3)')
        """
        if attempt >= self.max_attempts:
            return Failed(f"{reason} (attempt {attempt} of {self.max_attempts})")
        delay_s = min(self.max_delay_s, self.first_delay_s * 2 ** (attempt - 1))
        return Retry(reason, now + delay_s)

    def after_expiry(self, *, attempt: int, now: float) -> Retry | Failed:
        """Decide about an attempt whose lease ran out: its process died or stalled, so nothing is awaited.

        >>> RetryRule(max_attempts=3).after_expiry(attempt=1, now=100.0)
        Retry(error='lease expired on attempt 1 of 3', available_at=100.0)
        """
        reason = f"lease expired on attempt {attempt} of {self.max_attempts}"
        return Failed(reason) if attempt >= self.max_attempts else Retry(reason, now)
