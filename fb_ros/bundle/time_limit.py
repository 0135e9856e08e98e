"""Runs work with a time limit, since somebody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from fb_ros.errors import FbRosError

T = TypeVar("T")


def within(seconds: float, what: str, work: Callable[[], T]) -> T:
    """Returns or raises the outcome of `work`.

    Work that takes longer goes on in a thread that does not keep the process alive, since nothing
    can interrupt a runtime from outside; its result is dropped.

    Raises:
        FbRosError: `what` took longer than `seconds`.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # The error is raised again below, in the waiting thread.
            errors.append(error)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise FbRosError(f"{what} took more than {seconds:g} s; the model is not used")
    return results[0]
