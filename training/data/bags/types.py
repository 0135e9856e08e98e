"""Decoding a message's bytes into its fields, by the definition in the bag."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from fb_ros.errors import FbRosError
from training.data.bags.storage import Channel

# Separates the definition of a type from those of its parts.
_IDL_RULE = "=" * 80 + "\n"


@functools.cache
def _jazzy() -> Typestore:
    """Definitions of ROS 2's own types, for bags that carry none."""
    return get_typestore(Stores.ROS2_JAZZY)


def decoder(channel: Channel) -> Callable[[bytes], Any]:
    """Returns a decoder for messages of `channel`; refuses an unreadable one with topic and
    type."""
    where = f"{channel.topic}: its messages ({channel.type or 'of no type'})"
    if channel.encoding != "cdr":
        raise FbRosError(
            f"{where} are {channel.encoding or 'of no encoding'}, not CDR as ROS 2 writes them; "
            "record the topic with `ros2 bag record`, or leave it out of the mapping"
        )
    if channel.schema_encoding not in ("", "ros2msg", "ros2idl", "omgidl"):
        raise FbRosError(
            f"{where} are described by {channel.schema_encoding}, which is none of ROS 2's; "
            "record the topic with `ros2 bag record`, or leave it out of the mapping"
        )
    store = _jazzy()
    if channel.schema_encoding and channel.schema:
        try:
            store = _store(channel.type, channel.schema_encoding, channel.schema)
        except Exception as error:  # The parser raises many kinds of errors.
            reason = " ".join(str(error).split()) or type(error).__name__
            raise FbRosError(
                f"{where} have a definition that is not readable ({reason}); record the topic "
                "anew, or leave it out of the mapping"
            ) from error
    if channel.type not in store.fielddefs:
        raise FbRosError(
            f"{where} are of a type of which neither the bag nor ROS 2 Jazzy has the definition; "
            "record as MCAP where that type is installed, or publish the numbers in a standard "
            "message"
        )
    return functools.partial(_decode, store, channel)


def _decode(store: Typestore, channel: Channel, data: bytes) -> Any:
    try:
        return store.deserialize_cdr(data, channel.type)
    except Exception as error:  # A damaged byte may raise anything in the reader.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise FbRosError(f"{channel.topic}: a message is no {channel.type} ({reason})") from error


@functools.lru_cache(maxsize=64)
def _store(kind: str, encoding: str, text: str) -> Typestore:
    store = get_typestore(Stores.EMPTY)
    if encoding == "ros2msg":
        store.register(get_types_from_msg(text, kind))
        return store
    parts = text.split(_IDL_RULE)[1:] if text.startswith(_IDL_RULE + "IDL: ") else [text]
    # Types that several parts define are registered once.
    types = {}
    for part in parts:
        body = part.split("\n", 1)[1] if part.startswith("IDL: ") else part
        types.update(get_types_from_idl(body))
    store.register(types)
    return store
