"""The heads of requests, as bytes to send: all but the first line and the length is made once and kept.

geventhttpclient parses each URL, merges the headers and checks every character: 43 µs where this takes 3 µs.
"""

from __future__ import annotations

import json as json_format
import re
from enum import IntEnum, auto
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geventhttpclient.client import HTTPClient
    from geventhttpclient.header import Headers
    from locust.contrib.fasthttp import LocustUserAgent

# Paths that URL parsing and quoting would leave as they are.
PATH = re.compile(r"/(?!/)[A-Za-z0-9._~!$&'()*+,:@=/-]*+(\?[A-Za-z0-9._~!$&'()*+,:@=/?-]++)?")
METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
WITH_LENGTH = frozenset({"POST", "PUT", "PATCH"})  # even of nothing (RFC 9110, section 8.6)
# Headers that decide how a request is sent, or what becomes of its connection.
UNUSUAL = frozenset(
    {"connection", "content-length", "expect", "te", "trailer", "transfer-encoding", "upgrade"}
)
KEPT = 256


class Kind(IntEnum):
    """What a body is, which decides the headers that go with it."""

    NONE = auto()
    JSON = auto()
    TEXT = auto()
    BYTES = auto()


JSON_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
CONTENT_TYPE = {Kind.TEXT: "text/plain; charset=utf-8", Kind.BYTES: "application/octet-stream"}


class Heads:
    """The requests to one host that FastHttpSession would send, as far as they are usual ones."""

    def __init__(
        self, agent: LocustUserAgent, client: HTTPClient, *, prefix: str, authorization: str | None
    ) -> None:
        self._agent = agent
        self._client = client
        self._prefix = prefix
        self._authorization = authorization
        self._blocks: dict[object, bytes | None] = {}

    def request(
        self, method: str, path: str, body: bytes, kind: Kind, headers: Mapping[str, str] | None
    ) -> bytes | None:
        """Return a request as it is sent; ``None`` for an unusual one."""
        uri = self._prefix + path
        if method not in METHODS or PATH.fullmatch(uri) is None:
            return None
        key = (kind, *headers.items()) if headers else kind
        try:
            block = self._blocks[key]
        except (KeyError, TypeError):  # not kept, or it can't be
            block = self._keep(key, kind, headers or {})
        if block is None:
            return None
        if body or method in WITH_LENGTH:
            line = f"{method} {uri} HTTP/1.1\r\nContent-Length: {len(body)}\r\n"
            return line.encode() + block + body
        return f"{method} {uri} HTTP/1.1\r\n".encode() + block

    def _keep(self, key: object, kind: Kind, headers: Mapping[str, str]) -> bytes | None:
        if not all(isinstance(text, str) for item in headers.items() for text in item):
            return None
        if len(self._blocks) >= KEPT:
            self._blocks.clear()
        block = self._blocks[key] = self._make(kind, headers)
        return block

    def _make(self, kind: Kind, headers: Mapping[str, str]) -> bytes | None:
        """Have geventhttpclient write the headers, which it checks."""
        fields = merged(self._agent, kind, headers, self._authorization)
        if not UNUSUAL.isdisjoint(fields):
            return None
        head = self._client._build_request("GET", "/", headers=fields)  # noqa: SLF001 - it has no other name
        return head.partition("\r\n")[2].encode("latin-1")


def merged(
    agent: LocustUserAgent, kind: Kind, headers: Mapping[str, str], authorization: str | None
) -> Headers:
    """Return a request's headers, merged as FastHttpSession and its agent do."""
    fields = agent.default_headers.copy()
    fields.update({"Accept-Encoding": "gzip, deflate, br"})
    fields.update(JSON_HEADERS if kind is Kind.JSON else {})
    fields.update(headers)
    fields.update({"Authorization": authorization} if authorization else {})
    if kind in CONTENT_TYPE:
        fields.setdefault("Content-Type", CONTENT_TYPE[kind])
    return fields


def encoded(data: object, json: object) -> tuple[bytes, Kind] | None:
    """Return a request's body, as FastHttpSession would make it; ``None`` for a form or a stream."""
    if not data:
        return (b"", Kind.NONE) if json is None else (json_format.dumps(json).encode(), Kind.JSON)
    if isinstance(data, str):
        return data.encode(), Kind.TEXT
    return (data, Kind.BYTES) if isinstance(data, bytes) else None
