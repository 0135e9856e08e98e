"""Messages of a TensorRT library while it builds or loads an engine."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# A library holds on to the first logger that it gets, so that logger must never be freed.
_LOGS: dict[Any, Any] = {}
_LOCK = threading.RLock()


@contextmanager
def listening(trt: Any) -> Iterator[Any]:
    """The logger of the library `trt`, which records the messages of one caller at a time.

    It keeps the first error, in `failure`, and a built engine's `layers`.
    """
    with _LOCK:
        if trt not in _LOGS:
            _LOGS[trt] = _new_log(trt)
        log = _LOGS[trt]
        log.failure, log.layers = "", []
        yield log


def _new_log(trt: Any) -> Any:
    class Log(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.failure = ""
            self.layers: list[dict[str, str]] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.ERROR, trt.ILogger.INTERNAL_ERROR):
                self.failure = self.failure or " ".join(message.split())
            elif "Layers:\n" in message:
                self.layers = _layers(message)

    return Log()


def _layers(message: str) -> list[dict[str, str]]:
    """Name, kind and types of the layers that a builder reports."""
    found = []
    for line in message.split("Layers:\n", 1)[1].splitlines():
        match = re.match(r"Name: (.+?), LayerType: (\w+)", line)
        if match is None:
            break
        types = sorted(set(re.findall(r"Datatype: (\w+)", line)))
        found.append({"name": match[1], "type": match[2], "data": ", ".join(types)})
    return found
