"""Prove service-level objectives before production does."""
