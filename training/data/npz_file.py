"""Reading npz files that may be foreign or damaged.

NumPy's own reader trusts the sizes in headers and allocates them. This one compares each size with
the file before it allocates anything.
"""

from __future__ import annotations

import math
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.lib import format as npy

from fb_ros.plain_file import open_plain

MOST_BYTES = 512 << 20
"""Largest size of all arrays of a file together."""
_MOST_ARRAYS = 64
_MOST_DIRECTORY = 1 << 16
"""Largest size of a zip file's list of contents, bytes."""
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# The record at the end of a zip file: its signature, its length, and the fields for the count and
# size of the list of contents.
_END, _END_BYTES, _END_COUNT, _END_SIZE = b"PK\x05\x06", 22, slice(10, 12), slice(12, 16)
_LONGEST_COMMENT = 1 << 16
_LOCATOR, _LOCATOR_BYTES = b"PK\x06\x07", 20


def read_npz(path: Path) -> dict[str, np.ndarray]:
    """All arrays of the file, by name.

    Raises:
        FbRosError: It is no plain file, or a link out of its folder. Exception: It is damaged,
        holds anything but plain arrays, or declares more than `MOST_BYTES`
            or than it has. The libraries raise many kinds of exceptions for that.
    """
    with open_plain(path, path.parent) as file:
        _require_small_directory(file)
        with zipfile.ZipFile(file) as archive:
            members = archive.infolist()
            if len(members) > _MOST_ARRAYS:
                raise ValueError(
                    f"it holds {len(members)} arrays, at most {_MOST_ARRAYS} are read"
                )
            promised = sum(member.file_size for member in members)
            if promised > MOST_BYTES:
                raise ValueError(f"it promises {promised} bytes, at most {MOST_BYTES} are read")
            names = [member.filename for member in members]
            if len(set(names)) < len(names):
                raise ValueError("it holds an array twice")
            return {
                member.filename.removesuffix(".npy"): _read_array(archive, member)
                for member in members
            }


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> np.ndarray:
    if not member.filename.endswith(".npy") or member.compress_type not in _METHODS:
        raise ValueError(f"it holds {member.filename[:80]!r}, which is no array of NumPy's")
    with archive.open(member) as file:
        version = npy.read_magic(file)
        read_header = {
            (1, 0): npy.read_array_header_1_0,
            (2, 0): npy.read_array_header_2_0,
        }.get(version)
        if read_header is None:
            raise ValueError(f"{member.filename} has the unknown version {version}")
        shape, by_column, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds Python objects, which are not read")
        size = math.prod(shape) * dtype.itemsize
        left = member.file_size - file.tell()
        if size != left or any(length < 0 for length in shape):
            raise ValueError(f"{member.filename} promises {size} bytes and has {left}")
        content = file.read(size)
        # Reading to the end checks the checksum.
        if len(content) != size or file.read(1):
            raise ValueError(f"{member.filename} has another length than it promises")
    array = np.frombuffer(content, dtype=dtype).reshape(shape, order="F" if by_column else "C")
    return array.copy()  # The copy is writable, as callers expect.


def _require_small_directory(file: BinaryIO) -> None:
    """Refuses a list of contents larger than any episode needs."""
    length = file.seek(0, 2)
    file.seek(max(0, length - _END_BYTES - _LONGEST_COMMENT - _LOCATOR_BYTES))
    tail = file.read()
    at = tail.rfind(_END)
    end = tail[at : at + _END_BYTES]
    if at < 0 or len(end) < _END_BYTES:
        raise ValueError("it is truncated, or no npz file")
    if tail[max(0, at - _LOCATOR_BYTES) : at].startswith(_LOCATOR):
        raise ValueError("it is of the format for more than 4 GB, which is not read")
    count, size = (int.from_bytes(end[part], "little") for part in (_END_COUNT, _END_SIZE))
    if count > _MOST_ARRAYS or size > _MOST_DIRECTORY:
        raise ValueError(
            f"it lists {count} arrays in {size} bytes, at most {_MOST_ARRAYS} are read"
        )
    file.seek(0)
