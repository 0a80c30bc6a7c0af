"""Start, stop and signal the thing under test; knows nothing of load or verdicts."""
