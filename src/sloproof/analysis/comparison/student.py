"""Student's t distribution, exact to about twelve digits; it knows no data."""

from __future__ import annotations

import math
from functools import cache

STEPS = 300
PRECISION = 1e-15
CONVERGED = 1e-12
TINY = 1e-300  # stands in for a zero that would be divided by


def p_value(t: float, *, df: float) -> float:
    """Return the probability that |T| is at least |t|; `df` may be a fraction, as Welch's are.

    It is I_x(df/2, 1/2) at x = df/(df + t²), I being the regularised incomplete beta function.
    Source: Abramowitz and Stegun, Handbook of Mathematical Functions (1964), 26.7.1.

    >>> round(p_value(12.706204736, df=1), 9), round(p_value(2.570581836, df=5), 9)
    (0.05, 0.05)
    """
    if math.isinf(t):
        return 0.0
    return _incomplete_beta(df / (df + t * t), df / 2, 0.5)


@cache
def critical(alpha: float, *, df: float) -> float:
    """Return the t that |T| exceeds with probability `alpha`, 0 < alpha < 1: the quantile at 1 - alpha/2.

    >>> round(critical(0.05, df=5), 6), round(critical(0.05, df=1e7), 4)
    (2.570582, 1.96)
    """
    t, step = 0.0, math.inf
    while step > CONVERGED * t:  # the tail is convex: from the left, Newton's steps never go too far
        step = (p_value(t, df=df) - alpha) / (2 * _density(t, df))
        t += step
    return t


def _density(t: float, df: float) -> float:
    log_front = math.lgamma((df + 1) / 2) - math.lgamma(df / 2) - math.log(df * math.pi) / 2
    return math.exp(log_front - (df + 1) / 2 * math.log1p(t * t / df))


def _incomplete_beta(x: float, a: float, b: float) -> float:
    """Return the regularised incomplete beta function I_x(a, b).

    Source: Press et al., Numerical Recipes (2007), section 6.4: the continued fraction, on the side on which
    it converges fast.
    """
    if x <= 0 or x >= 1:
        return min(max(x, 0.0), 1.0)
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x < (a + 1) / (a + b + 2):
        return math.exp(log_front) * _fraction(x, a, b) / a
    return 1 - math.exp(log_front) * _fraction(1 - x, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    """Evaluate the continued fraction of the incomplete beta function by Lentz's method."""
    c, d = 1.0, 1 / _apart_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _apart_from_zero(1 + term * d)
            c = _apart_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < PRECISION:
            break
    return value


def _apart_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
