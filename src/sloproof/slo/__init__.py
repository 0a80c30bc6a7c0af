"""What a service promises: SLO definitions and their loading; knows neither traffic nor measurements."""
