"""Protocol buffers' wire format, as far as inspecting a file before loading it needs it.

The encoding is described at https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator

_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5
_VARINT_BYTES = 10

Value = int | memoryview
"""Value of a field: a number, or the bytes of a text, a message or a packed list."""


def fields(message: memoryview) -> Iterator[tuple[int, Value]]:
    """Number and value of each field of a message, in order; the bytes are views of it.

    Raises:
        ValueError: A field promises more bytes than there are, or is of no known kind.
    """
    at, end = 0, len(message)
    while at < end:
        key, at = _varint(message, at)
        kind = key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield key >> 3, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED_64, _FIXED_32):
            size = 8 if kind == _FIXED_64 else 4
        else:
            raise ValueError(f"a field has the unknown wire type {kind}")
        if size > end - at:
            raise ValueError(f"a field promises {size} bytes where {end - at} are left")
        yield key >> 3, message[at : at + size]
        at += size


def numbers(value: Value) -> Iterator[int]:
    """The whole numbers of a repeated field, which may be packed."""
    if isinstance(value, int):
        yield value
        return
    at = 0
    while at < len(value):
        number, at = _varint(value, at)
        yield number


def text(value: Value) -> str:
    """A text, shortened for a message."""
    return bytes(value[:80]).decode(errors="replace") if isinstance(value, memoryview) else ""


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """A number and where the next field begins."""
    number = 0
    for i in range(_VARINT_BYTES):
        if at + i >= len(message):
            raise ValueError("a number is cut off")
        byte = message[at + i]
        number |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return number, at + i + 1
    raise ValueError("a number has more than 64 bits")
