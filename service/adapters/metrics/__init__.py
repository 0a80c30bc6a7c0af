"""Prometheus metrics of one process or of several that share a folder."""

from service.adapters.metrics.exposition import CONTENT_TYPE, Build, Exposition
from service.adapters.metrics.instruments import Instruments

__all__ = ["CONTENT_TYPE", "Build", "Exposition", "Instruments"]
