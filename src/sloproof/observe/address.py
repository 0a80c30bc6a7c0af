"""Addresses of HTTP servers as people give them, whose credentials are used and never shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from urllib.parse import SplitResult, unquote, urlsplit

import httpx

CONNECT_WITHIN_S = 5.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server is; ``str()`` gives it without credentials and without a query."""

    url: str = field(repr=False)
    credentials: tuple[str, str] | None = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.url.partition("?")[0]

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, where no proxy of the environment leads."""
        host = urlsplit(self.url).hostname or ""
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    def client(self, *, timeout_s: float) -> httpx.Client:
        """Return a client that sends the credentials; the caller closes it."""
        return httpx.Client(
            timeout=httpx.Timeout(timeout_s, connect=CONNECT_WITHIN_S),
            auth=self.credentials,
            trust_env=not self.is_local,
        )


def parse_address(text: str) -> Address:
    """Return the address that a text gives; its messages of ValueError repeat none of its credentials.

    >>> print(parse_address("http://me:secret@127.0.0.1:9090/"))
    http://127.0.0.1:9090
    """
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError("it is no address: write e.g. http://127.0.0.1:9090") from None
    if "://" not in text:  # perhaps a name and a password, which a parser takes for a scheme
        raise ValueError("it has no http://: write e.g. http://127.0.0.1:9090")
    if parts.scheme not in {"http", "https"}:
        raise ValueError(f"'{parts.scheme}' cannot be asked: write e.g. http://127.0.0.1:9090")
    if not parts.hostname:
        raise ValueError("it names no host: write e.g. http://127.0.0.1:9090")
    credentials = None
    if parts.username is not None:
        credentials = (unquote(parts.username), unquote(parts.password or ""))
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    return Address(
        SplitResult(parts.scheme, netloc, parts.path.rstrip("/"), parts.query, "").geturl(), credentials
    )
