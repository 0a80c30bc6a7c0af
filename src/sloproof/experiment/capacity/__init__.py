"""The kind of experiment that finds how much load each configuration carries within its objectives."""
