"""Sends the same requests by Locust's FastHttpSession and by QuickSession, and tells what came of both.

``python twins.py`` prints a JSON object: for each case, what the server got and what the task and the event
saw, of either session. It is a process of its own because Locust patches the one it is imported into.
"""

# ruff: noqa: I001, T201, ANN401 - Locust must be imported first; it prints; whatever the sessions return
from __future__ import annotations

from locust.contrib.fasthttp import FastHttpSession, FastResponse

import gzip
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import gevent
from gevent.server import StreamServer

from sloproof.load.clients import OneTryClients
from sloproof.load.session import WAITED, QuickSession

if TYPE_CHECKING:
    from collections.abc import Callable

TIMEOUT_S = 0.3
TEXT = "Grüße"
BYTES: Any = b"\0\xff"  # which Locust takes, though its annotation does not say so
JSON = b'{"text": "Gr\xc3\xbc\xc3\x9fe", "number": 1}'


def answer(status: str, body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


TYPE = "Content-Type: application/json"
ANSWERS = {
    "/json": answer("200 OK", JSON, TYPE, "X-Twice: a", "x-twice: b", "X-Spaced:   in between  "),
    "/latin": answer("200 OK", TEXT.encode("latin-1"), "Content-Type: text/plain; charset=iso-8859-1"),
    "/typeless": answer("200 OK", TEXT.encode()),
    "/empty": answer("200 OK"),
    "/created": answer("201 Created", JSON, TYPE, "Location: /jobs/1"),
    "/nothing": b"HTTP/1.1 204 No Content\r\n\r\n",
    "/unknown": answer("404 Not Found", b"no", "Content-Type: text/plain"),
    "/busy": answer("429 Too Many Requests", JSON, TYPE),
    "/broken": answer("500 Internal Server Error", b"oh", "Content-Type: text/plain"),
    "/chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "/gzip": answer("200 OK", gzip.compress(JSON), TYPE, "Content-Encoding: gzip"),
    "/cookie": answer("200 OK", JSON, TYPE, "Set-Cookie: session=1; Path=/"),
    "/redirect": answer("302 Found", b"", "Location: /json"),
    "/loop": answer("307 Temporary Redirect", b"", "Location: /loop"),
    "/closing": answer("200 OK", JSON, TYPE, "Connection: close"),
    "/leaving": answer("200 OK", JSON, TYPE),
    "/large": answer("200 OK", b"x" * 300_000, "Content-Type: text/plain"),
    "/late": answer("200 OK", JSON, TYPE),
    "/early": b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer("200 OK", JSON, TYPE),
    "/old": b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nuntil the end",
    "/cut": b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
    "/two": answer("200 OK", JSON, TYPE, "Content-Length: 3"),
    "/more": answer("200 OK", JSON, TYPE) + b"surplus",
    "/junk": b"I speak no HTTP\r\n\r\n",
    "/silent": b"",
}
ENDING = {"/closing", "/leaving", "/old", "/cut", "/junk", "/silent"}


class Server:
    """Keeps what it gets, one list of bytes a request."""

    def __init__(self) -> None:
        self.got: list[Any] = []
        self.connections = 0
        self._server = StreamServer(("127.0.0.1", 0), self._serve)
        self._server.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _serve(self, sock: Any, _: object) -> None:
        self.connections += 1
        file = sock.makefile("rb")
        with suppress(OSError):
            while line := file.readline():
                named = (field.partition(b":") for field in iter(file.readline, b"\r\n"))
                fields = sorted(name.lower() + b":" + value for name, _, value in named)
                lengths = [
                    int(field.split(b":")[1]) for field in fields if field.startswith(b"content-length")
                ]
                body = file.read(lengths[0]) if lengths else b""
                self.got.append([part.decode("latin-1") for part in (line, *fields, body)])
                path = line.split(b" ")[1].partition(b"?")[0].decode()
                if path == "/hang":
                    gevent.sleep(60)
                content = ANSWERS.get(path, ANSWERS["/json"])
                head, ends, rest = content.partition(b"\r\n\r\n")
                sock.sendall(head + ends if path == "/late" else content)
                if path == "/late":
                    gevent.sleep(0.02)
                    sock.sendall(rest)
                if path in ENDING:
                    break
        file.close()
        sock.close()


def caught(session: FastHttpSession, path: str, then: Callable[[Any], object]) -> Any:
    with session.get(path, catch_response=True) as response:
        then(response)
    return response


def fail(_: object) -> None:
    raise LookupError("a bug in the Locust file")


def renamed(session: FastHttpSession) -> FastResponse:
    with session.rename_request("/renamed"):
        return session.get("/json")


def at_once(session: FastHttpSession) -> FastResponse:
    other = gevent.spawn(session.get, "/late")
    response = session.get("/late")
    other.join()
    return response


CASES: dict[str, Callable[[FastHttpSession], Any]] = {
    **{f"get {path}": (lambda session, path=path: session.get(path)) for path in (*ANSWERS, "/hang")},  # type: ignore[misc]
    **{
        f"{method} with and without a body": lambda session, method=method: [  # type: ignore[misc]
            session.request(method, "/json"),
            session.request(method, "/json", json={"a": [1, None, TEXT]}),
        ]
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "get")
    },
    "head": lambda session: session.head("/json"),
    "query": lambda session: session.get("/json?a=1&b=x:y&c"),
    "empty query": lambda session: session.get("/json?"),
    "path parameter": lambda session: session.get("/json;a=1"),
    "fragment": lambda session: session.get("/json#part"),
    "quoted path": lambda session: session.get("/a%20b%7E"),
    "unquoted path": lambda session: session.get("/a b/ü"),
    "absolute": lambda session: session.get(f"{session.base_url}/json"),
    "no slash": lambda session: session.get("json"),
    "two slashes": lambda session: session.get("//json"),
    "params": lambda session: session.get("/json", params={"a": TEXT}),
    "auth": lambda session: session.get("/json", auth=("me", "secret")),
    "name": lambda session: session.get("/json", name="/{name}"),
    "renamed": renamed,
    "headers": lambda session: session.get("/json", headers={"X-A": "1", "accept": "b", "USER-AGENT": "me"}),
    "number as header": lambda session: session.get("/json", headers={"X-A": 1}),
    "header for the connection": lambda session: session.get("/json", headers={"Connection": "close"}),
    "header with a line in it": lambda session: session.get("/json", headers={"X-A": "a\r\nX-B: b"}),
    "own type": lambda session: session.post(
        "/json", json={}, headers={"content-type": "application/x+json"}
    ),
    "text": lambda session: session.post("/json", data=TEXT),
    "text of own type": lambda session: session.post(
        "/json", data="<a/>", headers={"Content-Type": "text/xml"}
    ),
    "bytes": lambda session: session.request("POST", "/json", data=BYTES),
    "form": lambda session: session.post("/json", data={"a": TEXT}),
    "no json": lambda session: session.post("/json", json=object()),
    "redirect not followed": lambda session: session.get("/redirect", allow_redirects=False),
    "redirected post": lambda session: session.post("/redirect", json={}),
    "cookie kept": lambda session: [session.get("/cookie"), session.get("/json"), session.get("/json")],
    "stream": lambda session: session.get("/large", stream=True).content,
    "same again": lambda session: [session.get("/json", headers={"X-A": str(n % 2)}) for n in range(4)],
    "after a failure": lambda session: [
        session.get("/silent"),
        session.get("/json"),
        session.get("/chunked"),
    ],
    "left while idle": lambda session: [session.get("/leaving"), gevent.sleep(0.02), session.get("/json")],
    "two at once": at_once,
    "caught": lambda session: caught(session, "/json", lambda _: None),
    "caught and failed": lambda session: caught(session, "/json", lambda response: response.failure("no")),
    "caught, missing": lambda session: caught(session, "/unknown", lambda _: None),
    "caught, missing and liked": lambda session: caught(
        session, "/unknown", lambda response: response.success()
    ),
    "caught and raised": lambda session: caught(session, "/json", fail),
    "caught without answer": lambda session: caught(session, "/silent", lambda _: None),
    "not caught": lambda session: session.get("/json").failure("no"),  # type: ignore[no-untyped-call]
    "not caught either": lambda session: session.get("/json").__enter__(),  # type: ignore[no-untyped-call]
}


class Listener:
    """Hears the events as Locust's own listeners do."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def fire(self, **event: Any) -> None:
        event["context"].pop(WAITED, None)
        response = event.pop("response")
        times = event.pop("response_time") >= 0, event.pop("start_time") > 0
        self.heard.append(
            {**event, "exception": repr(event["exception"]), "times": times, "status": response.status_code}
        )


def seen(response: Any) -> Any:
    """Return what a task can see of a response."""
    if isinstance(response, list):
        return [seen(each) for each in response]
    if not isinstance(response, FastResponse):
        return repr(response)
    with suppress(Exception):
        body = response.json()
    request = response.request
    return {
        "status": [response.status_code, response.ok, response.url],
        "headers": response.headers and sorted(response.headers.items()),
        "twice": response.headers and response.headers.get("x-TWICE"),
        "body": [len(response.content or b""), response.text, response.encoding, locals().get("body")],
        "read again": response.headers and [*response.iter_content()],  # type: ignore[no-untyped-call]
        "history": [each.status_code for each in getattr(response, "_history", [])],
        "request": request and [request.method, request.url, request.payload and len(request.payload)],
        "request headers": request and request.headers and sorted(dict(request.headers.iterlower()).items()),
        "error": repr(getattr(response, "error", None)),
    }


def run(case: Callable[[FastHttpSession], Any], make: Callable[[FastHttpSession], FastHttpSession]) -> Any:
    server, listener = Server(), Listener()
    session = make(
        FastHttpSession(server.url, listener, None, max_retries=0, max_redirects=3, network_timeout=TIMEOUT_S)
    )
    try:
        response = case(session)
        task = seen(response)
    except Exception as exc:  # noqa: BLE001 - both are to raise the same
        response = task = repr(exc)
    session.client.close()
    found = {
        "kind": type(response[0] if isinstance(response, list) else response).__name__,
        "server": server.got,
        "connections": server.connections,
        "events": listener.heard,
        "task": task,
    }
    text = json.dumps(found, default=repr).replace(server.url.rpartition(":")[2], "PORT")
    return json.loads(text.replace(f"{TIMEOUT_S} seconds", "timed out"))  # whichever timer it was


def one_try(session: FastHttpSession) -> FastHttpSession:
    """Prepare an original as the generator does, with which it is to agree."""
    session.client.clientpool = OneTryClients((), **session.client.clientpool.client_args)
    return session


def quick(session: FastHttpSession) -> FastHttpSession:
    clients = OneTryClients((), **session.client.clientpool.client_args)
    return QuickSession(session, clients, timeout_s=TIMEOUT_S)


if __name__ == "__main__":
    print(json.dumps({name: [run(case, one_try), run(case, quick)] for name, case in CASES.items()}))
