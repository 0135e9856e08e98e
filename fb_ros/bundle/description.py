"""`bundle.json`: written and read with the model's id, which covers each of its bytes.

The id is the SHA-256 of the file with zeros in the place of the id itself. The file holds the
hashes of all others, so the id covers the whole bundle: equal ids mean that everything which
decides the robot's behaviour is equal.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fb_ros.bundle.files import DESCRIPTION, REMEDY, file_hashes
from fb_ros.errors import FbRosError

FORMAT_VERSION = 3
_MOST_BYTES = 8 << 20
_NO_ID = "0" * 64


def write_description(folder: Path, description: Mapping[str, Any]) -> str:
    """Writes `bundle.json` beside the files that it describes, and returns the model's id.

    Raises:
        FbRosError: The folder lacks a file.
    """
    first = {"format_version": FORMAT_VERSION, "model_id": _NO_ID}
    whole = first | dict(description) | first | {"files": file_hashes(folder)}
    content = (json.dumps(whole, indent=1) + "\n").encode()
    model_id = hashlib.sha256(content).hexdigest()
    (folder / DESCRIPTION).write_bytes(_with_id(content, _NO_ID, model_id))
    return model_id


def read_description(folder: Path) -> tuple[dict[str, Any], bytes]:
    """Reads `bundle.json` and its bytes, and checks its id and its files' hashes.

    Raises:
        FbRosError: Something is missing, damaged, of another version or not covered by the id.
    """
    content = _content(folder)
    file = folder / DESCRIPTION
    try:
        data = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise FbRosError(f"{file} is not readable ({error}); {REMEDY}") from error
    if not isinstance(data, dict):
        raise FbRosError(f"{file} holds {type(data).__name__}, expected an object; {REMEDY}")
    _require_version(folder, data.get("format_version"))
    model_id = data.get("model_id")
    if not isinstance(model_id, str) or len(model_id) != len(_NO_ID) or not model_id.isascii():
        raise FbRosError(f"{file} has no model id of {len(_NO_ID)} digits; {REMEDY}")
    if hashlib.sha256(_with_id(content, model_id, _NO_ID)).hexdigest() != model_id:
        raise FbRosError(
            f"{file} is not what its model id {model_id[:12]}… covers: it was changed or damaged; "
            + REMEDY
        )
    _verify_hashes(folder, data.get("files"))
    return data, content


def _with_id(content: bytes, old: str, new: str) -> bytes:
    """The file with another id, in the one place where it belongs."""
    key = b'"model_id": "'
    return content.replace(key + old.encode() + b'"', key + new.encode() + b'"', 1)


def _content(folder: Path) -> bytes:
    file = folder / DESCRIPTION
    if not folder.is_dir():
        raise FbRosError(f"there is no bundle at {folder}: no such folder")
    if not file.is_file():
        raise FbRosError(f"there is no bundle at {folder}: it lacks {DESCRIPTION}")
    try:
        size = file.stat().st_size
        if size > _MOST_BYTES:
            raise FbRosError(f"{file} has {size} bytes, at most {_MOST_BYTES} are read; {REMEDY}")
        return file.read_bytes()
    except OSError as error:
        raise FbRosError(f"{file} is not readable ({error.strerror}); {REMEDY}") from error


def _require_version(folder: Path, version: object) -> None:
    if type(version) is int and version == FORMAT_VERSION:
        return
    shown = str(version)[:20] if isinstance(version, (int, str)) else type(version).__name__
    raise FbRosError(
        f"{folder} has format version {shown}, this fb_ros reads {FORMAT_VERSION}; export the "
        f"model again from its run with `fb_ros export --run RUN --data DATA --out {folder}`"
    )


def _verify_hashes(folder: Path, described: object) -> None:
    if not isinstance(described, dict):
        raise FbRosError(f"{folder / DESCRIPTION} has no hashes of its files; {REMEDY}")
    found = file_hashes(folder)
    for name in {**found, **described}:
        if described.get(name) != found.get(name):
            raise FbRosError(
                f"{folder / name} has SHA-256 {str(found.get(name))[:12]}…, the description says "
                f"{str(described.get(name))[:12]}…; {REMEDY}"
            )
