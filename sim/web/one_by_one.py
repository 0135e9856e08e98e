"""Callbacks of widgets, in the order in which people did what they answer."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

Handler = Callable[[], None]

_LOG = logging.getLogger("fb_ros.web")


def one_by_one(handler: Handler) -> Callable[[Any], Any]:
    """A callback that runs in the server's thread: others come in any order."""

    async def callback(event: Any) -> None:
        if event.client_id is None:
            return  # The page's own doing, and nobody's wish.
        try:
            handler()
        except Exception:
            # A click that nobody foresaw ends neither the page nor its log.
            _LOG.exception("a widget's callback failed")

    return callback
