"""The browser's side of the page's connection; it reads everything and draws nothing."""

from __future__ import annotations

import importlib.metadata
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec
import zstandard
from websockets.sync.client import connect
from websockets.typing import Subprotocol

# The page's name for the goal that is dragged.
_GOAL = "/world/goal"
_BODY = "/world/robot/"
MOVES = ("SetPositionMessage", "SetOrientationMessage")
"""Types of the messages that move something."""
# The longest time that a socket can wait, s.
_LONGEST = 60.0
# The first message says where the camera is.
_CAMERA = {
    "type": "ViewerCameraMessage",
    "wxyz": (1.0, 0.0, 0.0, 0.0),
    "position": (1.0, 1.0, 1.0),
    "fov": 1.3,
    "near": 0.01,
    "far": 1000.0,
    "image_height": 800,
    "image_width": 1200,
    "look_at": (0.0, 0.0, 0.0),
    "up_direction": (0.0, 0.0, 1.0),
}


class HeadlessBrowser:
    """One connection, which a `with` statement ends."""

    def __init__(self, port: int, *, patience: float = 30.0) -> None:
        """Connects to the page on this machine's `port`; raises what the socket raises."""
        version = importlib.metadata.version("viser")
        self._socket = connect(
            f"ws://127.0.0.1:{port}",
            subprotocols=[Subprotocol(f"viser-v{version}")],
            origin=f"http://127.0.0.1:{port}",  # type: ignore[arg-type]
            compression=None,
            max_size=None,
            open_timeout=patience,
        )
        self._send(_CAMERA)

    def __enter__(self) -> HeadlessBrowser:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def close(self) -> None:
        """Leaves the page."""
        self._socket.close()

    def read(self, seconds: float) -> Iterator[tuple[float, list[dict[str, Any]]]]:
        """Yields what arrives within `seconds`: the time, on the clock of `time.perf_counter`, and
        the
        messages."""
        end = time.perf_counter() + seconds
        while (left := end - time.perf_counter()) > 0.0:
            try:
                frame = self._socket.recv(timeout=min(left, _LONGEST))
            except TimeoutError:
                continue
            yield time.perf_counter(), _messages(frame)

    def poses(self, seconds: float) -> int:
        """How often the robot was redrawn within `seconds`."""
        return sum(
            any(
                message["type"] in MOVES and message["name"].startswith(_BODY)
                for message in messages
            )
            for _, messages in self.read(seconds)
        )

    def drag(self, points: list[tuple[float, float, float]]) -> None:
        """Drags the goal through `points`, m, and releases it."""
        self._send({"type": "TransformControlsDragStartMessage", "name": _GOAL})
        for point in points:
            self._send(
                {
                    "type": "TransformControlsUpdateMessage",
                    "name": _GOAL,
                    "wxyz": (1.0, 0.0, 0.0, 0.0),
                    "position": point,
                }
            )
        self._send({"type": "TransformControlsDragEndMessage", "name": _GOAL})

    def _send(self, message: dict[str, Any]) -> None:
        self._socket.send(msgspec.msgpack.encode(message))


def _messages(frame: str | bytes) -> list[dict[str, Any]]:
    """The messages of a frame: two sizes, little-endian, then a compressed list."""
    assert isinstance(frame, bytes)
    size = int.from_bytes(frame[8:16], "little")
    packed = zstandard.ZstdDecompressor().decompress(frame[16 : 16 + size])
    found: list[dict[str, Any]] = msgspec.msgpack.decode(packed)["messages"]
    return found


def main(words: list[str]) -> int:
    """Reads the page on the given port until the process is ended."""
    (port,) = words
    # It stands for a browser on another machine, whose time would not be this one's.
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    with HeadlessBrowser(int(port)) as browser:
        for _ in browser.read(float("inf")):
            pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
