"""The service over HTTP: routes, probes, request context."""
