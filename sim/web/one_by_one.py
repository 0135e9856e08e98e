"""Callbacks of widgets, run in the order of a person's actions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

Handler = Callable[[], None]

_LOG = logging.getLogger("fb_ros.web")


def one_by_one(handler: Handler) -> Callable[[Any], Any]:
    """Wraps a callback so that it runs in the server's thread; viser runs others in any order."""

    async def callback(event: Any) -> None:
        if event.client_id is None:
            return  # The page changed the widget itself; no person asked for anything.
        try:
            handler()
        except Exception:
            # An unexpected error in a callback must not end the page.
            _LOG.exception("a widget's callback failed")

    return callback
