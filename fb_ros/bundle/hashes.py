"""What a bundle's files are, and that they are those which its description speaks of."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fb_ros.backends.graphs import GRAPH_FILES, IMAGINE
from fb_ros.errors import FbRosError

REFERENCE_STATES = "reference_states.safetensors"
GOLDEN = "golden.safetensors"
FILES = (*GRAPH_FILES, REFERENCE_STATES, GOLDEN)
"""Those that every bundle has."""
OPTIONAL_FILES = (IMAGINE,)

REMEDY = "copy the bundle again or export it anew with `fb_ros export`"


def file_hashes(path: Path) -> dict[str, str]:
    """SHA-256 of each of the bundle's files, refuses a folder that lacks one."""
    hashes = {}
    for name in (*FILES, *OPTIONAL_FILES):
        file = path / name
        if name in OPTIONAL_FILES and not file.exists():
            continue
        if not file.is_file():
            raise FbRosError(f"{path} lacks {name}; {REMEDY}")
        try:
            hashes[name] = hashlib.sha256(file.read_bytes()).hexdigest()
        except OSError as error:
            raise FbRosError(f"{file} is not readable ({error}); {REMEDY}") from error
    return hashes


def model_id_of(hashes: dict[str, str]) -> str:
    """The model's id: SHA-256 over the names and hashes of the bundle's files, in order."""
    lines = "".join(f"{name} {hashes[name]}\n" for name in sorted(hashes))
    return hashlib.sha256(lines.encode()).hexdigest()


def verify_hashes(path: Path, described: dict[str, str], model_id: str) -> None:
    """Refuses files that are not those of the description: their hashes by their names."""
    found = file_hashes(path)
    for name in {**found, **described}:
        if described.get(name) != found.get(name):
            raise FbRosError(
                f"{path / name} has SHA-256 {str(found.get(name))[:12]}…, the description says "
                f"{str(described.get(name))[:12]}…; {REMEDY}"
            )
    if model_id_of(found) != model_id:
        raise FbRosError(f"{path}: model id {model_id[:12]}… does not fit its files; {REMEDY}")
