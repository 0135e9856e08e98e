"""Reads messages as bytes, and checks their size before anything is made of them."""

from __future__ import annotations

from typing import Any

from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from fb_ros.errors import FbRosError

MOST_BYTES = 1 << 16
"""Most bytes of a prompt that is no list of samples."""
# A serialised text has four bytes for the byte order, four for its length, and its characters.
_ORDER, _LENGTH = 1, slice(4, 8)


def read_message(content: bytes, kind: type, most_bytes: int = MOST_BYTES) -> Any:
    """Makes the message of that type.

    Raises:
        FbRosError: It is too large, damaged, or a text with a NUL byte, at which ROS would cut it.
    """
    if len(content) > most_bytes:
        raise FbRosError(f"the message has {len(content)} bytes, at most {most_bytes} are read")
    try:
        message = deserialize_message(content, kind)
    except Exception as error:  # rclpy raises several classes for an unreadable message.
        raise FbRosError("the message is damaged: it cannot be read as its type") from error
    if kind is String and b"\0" in content[_LENGTH.stop : _LENGTH.stop + _text_bytes(content)]:
        raise FbRosError("the text holds a NUL byte, at which ROS cuts texts off; leave it out")
    return message


def _text_bytes(content: bytes) -> int:
    """Length of a serialised text, without the NUL that ends it."""
    order = "little" if content[_ORDER : _ORDER + 1] == b"\x01" else "big"
    return max(0, int.from_bytes(content[_LENGTH], order) - 1)  # type: ignore[arg-type]
