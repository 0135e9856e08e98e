"""The class of a message type, by the name that bags and the graph give it."""

from __future__ import annotations

import importlib
from typing import Any


def message_class(name: str) -> Any:
    """The class of a type such as `std_msgs/msg/String`.

    Raises:
        ImportError, AttributeError: It is not installed here.
    """
    package, _, kind = name.split("/")
    return getattr(importlib.import_module(f"{package}.msg"), kind)
