"""Log lines of the core, in the log of the node that uses it."""

from __future__ import annotations

import logging

from rclpy.logging import get_logger


class RosLog(logging.Handler):
    """Hands Python's log records to the ROS logger called `name`."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self._logger = get_logger(name)

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        # Each severity has its own line: rclpy ties the severity to the place of the call.
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)


def forward_log(name: str) -> None:
    """Sends the package's log to the log of the node called `name`, from now on."""
    log = logging.getLogger("fb_ros")
    log.setLevel(logging.INFO)
    log.handlers[:] = [RosLog(name)]
    log.propagate = False
