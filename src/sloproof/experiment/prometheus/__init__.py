"""The Prometheus that watches a run: its setup and life, what it is asked of a trial, what it said."""
