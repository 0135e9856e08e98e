"""The newest message of a topic whose messages replace each other."""

from __future__ import annotations

from typing import Any

from rclpy.subscription import Subscription


def drain(subscription: Subscription, message: Any) -> tuple[Any, int]:
    """Takes what has arrived since `message`; the newest, and how many it supersedes.

    Without it, whoever asks faster than he is answered would be served his oldest wish first.
    """
    superseded = 0
    with subscription.handle:
        while True:
            taken = subscription.handle.take_message(subscription.msg_type, subscription.raw)
            if taken is None:
                return message, superseded
            message, superseded = taken[0], superseded + 1
