"""HTTP clients that do what a measuring client must: one try per request, and only to hosts it may load."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geventhttpclient.client import HTTPClientPool
from geventhttpclient.url import URL

from sloproof.load.protocol import check_host

if TYPE_CHECKING:
    from gevent.socket import socket as Socket  # noqa: N812 - it is a class
    from geventhttpclient.client import HTTPClient


class OneTryClients(HTTPClientPool):
    """A pool whose clients never send a request twice.

    geventhttpclient sends a GET again, up to 12 times and unseen, when its connection ends without an answer.
    To the subject those are requests, and to its users each is a failure. An idle connection that the subject
    has closed is found before anything is sent on it, and replaced.
    """

    def __init__(self, allow_hosts: tuple[str, ...], **client_args: Any) -> None:  # noqa: ANN401 - passed through
        super().__init__(**client_args)
        self._allow_hosts = allow_hosts

    def get_client(self, url: str | URL) -> HTTPClient:
        """Return the client for the URL's host, to which redirects lead as well. Raises ProtocolError."""
        if not isinstance(url, URL):
            url = URL(url)
        known = (url.host, url.port) in self.clients
        if not known:
            check_host(str(url), self._allow_hosts)
        client = super().get_client(url)
        if not known:
            pool = client._connection_pool  # noqa: SLF001 - the only switches there are; tests hold them
            # A request is tried size + 1 times; sockets are limited by a semaphore made earlier, not by this.
            pool.size = -1
            pool._connect_socket = connected  # type: ignore[method-assign]  # noqa: SLF001
        return client


def connected(sock: Socket, address: Any) -> Socket:  # noqa: ANN401 - of whatever family
    """Connect a socket and return it.

    A reset that comes before the connection stands is a refusal, as a listener that is being closed gives it:
    nothing was sent, so nothing was taken.
    """
    try:
        sock.connect(address)
    except ConnectionResetError as exc:
        raise ConnectionRefusedError(exc.errno, "reset before it was connected") from exc
    return sock
