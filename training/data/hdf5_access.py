"""Groups and arrays of HDF5 files that may be foreign or damaged.

In HDF5 a name can point into another file, an array's numbers can lie in another file, and arrays
can be declared without data. None of these is followed, and no memory is allocated for missing
data.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.plain_file import require_plain

MOST_BYTES = 512 << 20
"""Largest number of bytes per read, and per chunk."""
_PLAIN = "biuf"
"""Kinds of numbers: truth values, whole and floating-point ones."""


def open_hdf5(path: Path) -> Any:
    """Opens a file; refuses one that is incomplete or not a plain file."""
    real = require_plain(path)
    try:
        return h5py.File(real, "r")
    except Exception as error:  # h5py raises HDF5's errors in many classes.
        raise FbRosError(f"{path} is not a whole HDF5 file: {line_of(error)}") from error


def line_of(error: Exception) -> str:
    """A library's message, in one line."""
    return " ".join(str(error).split())[:200] or type(error).__name__


def child(group: Any, name: str) -> Any:
    """The entry `name` of a group, or the entry at a path of names; None if there is none.

    Raises:
        FbRosError: The name points elsewhere.
    """
    found = group
    for part in name.split("/"):
        if not isinstance(found, h5py.Group):
            return None
        link = found.get(part, getlink=True)
        if link is None:
            return None
        if not isinstance(link, h5py.HardLink):
            where = getattr(link, "filename", "")
            raise FbRosError(
                f"{name} is a link to {where or 'another place'}, expected what it stands for "
                "itself; copy it into the file"
            )
        found = found[part]
    return found


def dataset(group: Any, name: str) -> Any:
    """The array of that name, all of whose numbers are in the file.

    Raises:
        FbRosError: There is none, it is no array of numbers, or some of them are elsewhere or
            missing.
    """
    found = child(group, name)
    if found is None:
        raise FbRosError(f"it lacks {name}")
    if not isinstance(found, h5py.Dataset):
        raise FbRosError(
            f"{name} is a group of {', '.join(found) or 'nothing'}, expected an array"
        )
    if found.dtype.kind not in _PLAIN:
        raise FbRosError(f"{name} holds {found.dtype}, expected numbers")
    kind = found.dtype.kind
    if kind == "f" and not found.id.get_type().equal(h5py.h5t.py_create(found.dtype)):
        raise FbRosError(f"{name} holds floating-point numbers of no usual kind")
    if found.is_virtual or found.external:
        raise FbRosError(f"{name} has its numbers in another file; copy them into this one")
    if found.shape and found.shape[0] and not found.size:
        raise FbRosError(f"{name} has {found.shape[0]} rows of no numbers")
    if any(
        most is not None and chunk > most
        for chunk, most in zip(found.chunks or (), found.maxshape, strict=bool(found.chunks))
    ):
        raise FbRosError(f"{name} is {found.shape}, in larger chunks of {found.chunks}")
    if found.size and found.chunks:
        expected = math.prod(
            math.ceil(length / chunk)
            for length, chunk in zip(found.shape, found.chunks, strict=True)
        )
        there = len(_chunks_in_place(found))
        if there != expected:
            raise FbRosError(f"{name} has {there} of the {expected} chunks that it promises")
        _require_small(name, math.prod(found.chunks) * found.dtype.itemsize)
    elif found.size and found.id.get_storage_size() < found.nbytes:
        raise FbRosError(
            f"{name} promises {found.nbytes} bytes and has {found.id.get_storage_size()}"
        )
    return found


def _chunks_in_place(array: Any) -> list[tuple[int, int]]:
    """First byte and length of each chunk that lies where the array has one and inside the file,
    as its filters left it."""
    found = {}
    # HDF5 reads zeros beyond the end of a file, and zeros have the checksum zero. A chunk that is
    # shorter than its checksum makes it read memory that is not its own.
    end = array.file.id.get_filesize()
    shortest, longest = _chunk_sizes(array)

    def look(chunk: Any) -> None:
        on_grid = all(
            start % size == 0 and start < length
            for start, size, length in zip(
                chunk.chunk_offset, array.chunks, array.shape, strict=True
            )
        )
        inside = chunk.byte_offset + chunk.size <= end and shortest <= chunk.size <= longest
        if on_grid and inside and not chunk.filter_mask:
            found[chunk.chunk_offset] = (chunk.byte_offset, chunk.size)

    array.id.chunk_iter(look)
    return list(found.values())


def _chunk_sizes(array: Any) -> tuple[int, int]:
    """The fewest and the most bytes that a chunk takes in the file."""
    settings = array.id.get_create_plist()
    filters = [settings.get_filter(number)[0] for number in range(settings.get_nfilters())]
    checksums = 4 * filters.count(h5py.h5z.FILTER_FLETCHER32)
    plain = math.prod(array.chunks) * array.dtype.itemsize + checksums
    if set(filters) <= {h5py.h5z.FILTER_FLETCHER32, h5py.h5z.FILTER_SHUFFLE}:
        return plain, plain
    # Numbers that do not compress take a little more than they are.
    return checksums + 1, 2 * plain + 1024


def require_apart(arrays: Mapping[str, Any]) -> None:
    """Refuses arrays that `dataset` gave of which one lies where another one does."""
    places = []
    for name, array in arrays.items():
        if array.chunks and array.size:
            places += [(start, size, name) for start, size in _chunks_in_place(array)]
        elif array.nbytes and array.id.get_offset() is not None:
            places.append((array.id.get_offset(), array.nbytes, name))
    for (start, size, name), (following, _, other) in itertools.pairwise(sorted(places)):
        if following < start + size:
            what = f"{name} and {other} lie" if name != other else f"two chunks of {name} lie"
            raise FbRosError(f"{what} in the same place of the file")


def rows_of(array: Any, rows: slice = slice(None)) -> np.ndarray:
    """Rows of an array from `dataset`; refuses more than `MOST_BYTES`."""
    if not array.shape:
        raise FbRosError(f"{array.name} is a single number, expected rows")
    count = len(range(*rows.indices(array.shape[0])))
    _require_small(str(array.name), count * math.prod(array.shape[1:]) * array.dtype.itemsize)
    found: np.ndarray = array[rows]
    return found


def _require_small(name: str, size: int) -> None:
    if size > MOST_BYTES:
        raise FbRosError(f"{name} promises {size} bytes, at most {MOST_BYTES} are read at a time")
