"""Identity of a folder's data: its description, and a hash of its episodes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

METADATA = "data.json"
"""File beside the episodes that describes how they were collected."""


def data_fingerprint(folders: Sequence[Path]) -> str:
    """SHA-256 over the names and the contents of the folders' episodes, in order."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.glob("episode_*.npz")):
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
