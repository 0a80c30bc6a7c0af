"""From what a service promises to what production runs on: rules, alerts, their tests, dashboards; no I/O."""
