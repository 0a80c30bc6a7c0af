"""What a job is and which rules it lives by: plain Python, without a framework, a clock or a store."""
