"""The files of a bundle, and their hashes."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from fb_ros.backends.graphs import GRAPH_FILES, IMAGINE
from fb_ros.errors import FbRosError

DESCRIPTION = "bundle.json"
REFERENCE_STATES = "reference_states.safetensors"
GOLDEN = "golden.safetensors"
FILES = (*GRAPH_FILES, REFERENCE_STATES, GOLDEN)
"""Files that every bundle has beside the description, which holds their hashes."""
OPTIONAL_FILES = (IMAGINE,)

MOST_BYTES = 512 << 20
"""Most bytes of any of them."""
REMEDY = "copy the bundle again or export it again with `fb_ros export`"


def file_hashes(folder: Path) -> dict[str, str]:
    """SHA-256 of each of `FILES`, and of the optional ones that exist, 64 hexadecimal digits.

    The files are read in pieces, so memory does not grow with them, and two at a time: hashing is
    what loading a bundle takes longest for.

    Raises:
        FbRosError: A file is missing, not readable, no plain file, or too large.
    """
    names = [name for name in FILES + OPTIONAL_FILES if name in FILES or (folder / name).exists()]
    with ThreadPoolExecutor(2) as readers:
        hashes = readers.map(lambda name: _hash_of(folder, name), names)
        return dict(zip(names, hashes, strict=True))


def _hash_of(folder: Path, name: str) -> str:
    file = folder / name
    if not file.is_file():
        raise FbRosError(f"{folder} lacks {name}; {REMEDY}")
    try:
        with file.open("rb") as content:
            size = file.stat().st_size
            if size > MOST_BYTES:
                raise FbRosError(
                    f"{file} has {size} bytes, at most {MOST_BYTES} are read; {REMEDY}"
                )
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError as error:
        raise FbRosError(f"{file} is not readable ({error.strerror}); {REMEDY}") from error
