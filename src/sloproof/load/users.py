"""Locust users that wait for an arrival where plain ones wait for some time; the Locust file is not told."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import gevent
from locust import FastHttpUser, constant
from locust.exception import StopTest, StopUser

from sloproof.analysis.samples import Outcome, Phase
from sloproof.load.answers import PlainResponse
from sloproof.load.clients import OneTryClients
from sloproof.load.crew import Seat
from sloproof.load.outcomes import outcome_of
from sloproof.load.session import WAITED, QuickSession

if TYPE_CHECKING:
    from locust.contrib.fasthttp import FastResponse
    from locust.env import Environment
    from locust.event import EventHook

    from sloproof.load.crew import Crew
    from sloproof.load.measurement import Iteration, Request

MILLISECONDS = 1e3
TAG = "sloproof_request"


def open_loop(user_class: type[FastHttpUser], *, kind: int, crew: Crew) -> type[FastHttpUser]:
    """Derive a class whose users serve arrivals, one iteration each, instead of pacing themselves."""

    class OpenLoopUser(user_class):  # type: ignore[misc, valid-type]  # a class known only at run time
        host = crew.config.host
        wait_time = constant(0)
        max_retries = 0
        network_timeout = connection_timeout = crew.config.timeout_s

        def __init__(self, environment: Environment) -> None:
            super().__init__(environment)
            self._observed = ObservedClient(self, crew)

    def serve(user: OpenLoopUser) -> None:
        seat = Seat()
        while True:  # what Locust does between two tasks, choose one and sleep for 0 s, takes 7 µs
            user._observed.serve(crew.pool.release(seat, kind) or seat.get())  # noqa: SLF001 - the class above

    OpenLoopUser.__name__ = user_class.__name__
    OpenLoopUser.__qualname__ = user_class.__qualname__
    OpenLoopUser.tasks = [serve]  # set here, since Locust adds a class' own tasks to the inherited ones
    return OpenLoopUser


class ObservedClient:
    """Stands on both sides of a user's HTTP client: sees each request begin, and its event fire.

    Locust's own statistics get the corrected time as well.
    """

    def __init__(self, user: FastHttpUser, crew: Crew) -> None:
        self._user = user
        self._crew = crew
        self._events: EventHook = user.environment.events.request
        self._iteration: Iteration | None = None
        clients = OneTryClients(crew.config.allow_hosts, **user.client.client.clientpool.client_args)
        user.client = self._session = QuickSession(user.client, clients, timeout_s=crew.config.timeout_s)
        self._send = user.client.request
        user.client.request = self._request  # type: ignore[assignment, method-assign]
        user.client.request_event = self

    def serve(self, iteration: Iteration) -> None:
        """Run an iteration's task to its end, whatever becomes of it."""
        self._iteration = iteration
        try:
            self._crew.tasks[iteration.task].function(self._user)
        except (StopUser, StopTest, gevent.Timeout):
            pass  # the pool keeps its size, and the experiment its length: only this iteration is over
        finally:
            self._iteration = None
            self._crew.measurement.end(iteration)

    def _request(self, method: str, url: str, name: str | None = None, **options: Any) -> Any:  # noqa: ANN401
        options["context"] = context = dict(options.get("context") or {})
        if (iteration := self._iteration) is not None:
            endpoint = f"{method} {name or self._user.client.request_name or url}"
            if iteration.phase is Phase.DRAIN:
                self._session.close()
                options["headers"] = {**(options.get("headers") or {}), "Connection": "close"}
            context[TAG] = self._crew.measurement.start(iteration, endpoint)
        return self._send(method, url, name, **options)

    def fire(self, **event: Any) -> None:  # noqa: ANN401 - whatever Locust says of a request
        """Note how a request ended, then tell Locust's listeners; stands in for their event hook."""
        waited_s = event["context"].pop(WAITED, 0.0)
        event["start_time"] -= waited_s
        event["response_time"] += waited_s * MILLISECONDS
        request: Request | None = event["context"].pop(TAG, None)
        if request is not None:
            end_s = request.start_s + event["response_time"] / MILLISECONDS
            event["response_time"] = (end_s - request.intended_s) * MILLISECONDS
            self._note(request, end_s, event["response"], outcome_of(event["exception"]))
        self._events.fire(**event)  # type: ignore[no-untyped-call]

    def _note(self, request: Request, end_s: float, response: FastResponse, outcome: Outcome) -> None:
        measurement = self._crew.measurement
        measurement.close(request, end_s=end_s, status=response.status_code, outcome=outcome)
        if response.status_code == HTTPStatus.ACCEPTED and response.headers is not None:
            location = (
                response.location if isinstance(response, PlainResponse) else response.headers.get("location")
            )
            if isinstance(location, str):
                measurement.accept(request, location)
        if outcome is Outcome.TIMEOUT:
            self._session.close()  # what a timed-out connection still brings is for nobody
