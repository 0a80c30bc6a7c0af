"""Loads a plain Locust file and says what of it open-loop load can run, and what it can't."""

from __future__ import annotations

import hashlib
import inspect
import traceback
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from locust import FastHttpUser
from locust.util.load_locustfile import load_locustfile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from locust import User


class LocustfileError(Exception):
    """A Locust file that can't be loaded, or not run in an open loop; says where and what would be right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A function that an arrival may run. ``kind`` is the index of its user class.

    ``weight`` is its share of all arrivals, relative to those of the other tasks.
    """

    name: str
    function: Callable[[Any], None]
    kind: int
    weight: float


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a Locust file asks for."""

    user_classes: tuple[type[FastHttpUser], ...]
    tasks: tuple[Task, ...]


def load_traffic(path: Path) -> Traffic:
    """Import a Locust file. Raises LocustfileError."""
    user_classes = tuple(_fast_http(user_class, path) for user_class in _import(path))
    if not user_classes:
        raise LocustfileError(
            f"{path}: no user class; define one, like `class Shopper(FastHttpUser):`, with @task methods"
        )
    tasks = [
        task for kind, user_class in enumerate(user_classes) for task in _tasks_of(user_class, kind, path)
    ]
    return Traffic(user_classes, tuple(tasks))


def digest(path: Path) -> str:
    """Return what equal Locust files have in common; it says nothing of the modules they import."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _import(path: Path) -> list[type[User]]:
    if not path.is_file():
        raise LocustfileError(f"{path}: no such file; name a Locust file")
    try:
        user_classes, _ = load_locustfile(str(path))
    except SyntaxError as exc:
        raise LocustfileError(f"{exc.filename}:{exc.lineno}:{exc.offset}: {exc.msg}") from exc
    except Exception as exc:
        frames = traceback.extract_tb(exc.__traceback__)
        frame = next((frame for frame in reversed(frames) if frame.filename == str(path)), frames[-1])
        raise LocustfileError(f"{frame.filename}:{frame.lineno}: {type(exc).__name__}: {exc}") from exc
    return list(user_classes.values())


def _fast_http(user_class: type[User], path: Path) -> type[FastHttpUser]:
    if not issubclass(user_class, FastHttpUser):
        raise LocustfileError(
            f"{_place(user_class, path)} is no FastHttpUser; derive it from locust.FastHttpUser, "
            "whose requests can be timed and bounded"
        )
    if user_class.fixed_count:
        raise LocustfileError(
            f"{_place(user_class, path)} sets fixed_count, but the pool's size is set outside; set weight"
        )
    return user_class


def _tasks_of(user_class: type[FastHttpUser], kind: int, path: Path) -> list[Task]:
    if not user_class.tasks:
        raise LocustfileError(f"{_place(user_class, path)} has no tasks; mark its methods with @task")
    functions: Counter[Any] = Counter(user_class.tasks)
    for function in functions:
        if inspect.isclass(function):
            raise LocustfileError(
                f"{_place(user_class, path)} has the TaskSet {function.__name__}; an arrival runs one "
                f"function, so move the @task methods of {function.__name__} to {user_class.__name__}"
            )
    share = user_class.weight / functions.total()
    return [
        Task(
            name=f"{user_class.__name__}.{function.__name__}",
            function=function,
            kind=kind,
            weight=share * times,
        )
        for function, times in functions.items()
    ]


def _place(user_class: type[User], path: Path) -> str:
    """Say where a user class is defined, which need not be in the Locust file itself."""
    place: object = path
    with suppress(OSError):  # a class that was made by a call has no lines
        line = inspect.getsourcelines(user_class)[1]
        place = f"{inspect.getsourcefile(user_class)}:{line}"
    return f"{place}: {user_class.__name__}"
