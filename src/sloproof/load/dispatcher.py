"""Tells Locust's master which users to have each worker spawn; its own dispatcher deals classes unevenly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from locust.dispatch import UsersDispatcher

if TYPE_CHECKING:
    from collections.abc import Mapping

    from locust import User
    from locust.runners import WorkerNode


def dispatcher_of(allotment: Mapping[str, Mapping[str, int]]) -> type[UsersDispatcher]:
    """Return a dispatcher for Locust that gives each worker, by its id, its users of each class, at once.

    Locust deals users to workers in turn whatever their class: with two classes of equal weight and two
    workers, each class would be on one worker only, and the other could serve none of that class' arrivals.
    What was allotted stays: a worker that is gone ends the run, and none is added to it.
    """

    class Allotted(UsersDispatcher):
        def __init__(self, worker_nodes: list[WorkerNode], user_classes: list[type[User]]) -> None:
            del worker_nodes, user_classes
            self._left: list[dict[str, dict[str, int]]] = []

        def new_dispatch(
            self, target_user_count: int, spawn_rate: float, user_classes: list[type[User]] | None = None
        ) -> None:
            del target_user_count, spawn_rate, user_classes
            self._left = [{worker: dict(users) for worker, users in allotment.items()}]

        def __next__(self) -> dict[str, dict[str, int]]:
            if not self._left:
                raise StopIteration
            return self._left.pop()

        @property
        def dispatch_in_progress(self) -> bool:
            return True  # so Locust does not dispatch anew when a stranger connects

        def add_worker(self, worker_node: WorkerNode) -> None:
            """Leave the users where they are."""

        def remove_worker(self, worker_node: WorkerNode) -> None:
            """Leave the users where they are."""

    return Allotted
