"""The jobs service: the reference subject whose service-level objectives sloproof proves."""

__version__ = "0.1.0"
