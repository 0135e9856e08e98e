"""Collects all messages that wait on a topic, if they come faster than they are answered."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from rclpy.subscription import Subscription

Arrived = tuple[Any, float]
"""A message, and when it arrived, on the clock of `time.time`, in seconds."""

_MOST_BYTES = 1 << 20


def arrived(message: Any, info: Mapping[str, Any]) -> Arrived:
    """A message and its arrival as the middleware recorded it, or now if it recorded none."""
    return message, (info.get("received_timestamp") or time.time_ns()) * 1e-9


def drain(subscription: Subscription, message: Any, info: Mapping[str, Any]) -> list[Arrived]:
    """`message` and those that have arrived since, in order, up to a megabyte of raw messages.

    Otherwise a fast publisher gets answers to stale prompts.
    """
    messages = [arrived(message, info)]
    with subscription.handle:
        # Large messages take long to be taken, and others wait meanwhile.
        while sum(len(m) for m, _ in messages if isinstance(m, bytes)) < _MOST_BYTES:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is None:
                return messages
            messages.append(arrived(*taken))
    return messages
