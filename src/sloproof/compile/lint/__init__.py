"""A lint with reasons: what a valid SLO file gets wrong, why, and what to do about it; no I/O."""
