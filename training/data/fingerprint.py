"""Identity of a folder's data: its description, and a hash of its episodes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from fb_ros.errors import FbRosError
from training.data.episode import episode_paths

METADATA = "data.json"
"""File beside the episodes that describes how they were collected."""


def data_fingerprint(folders: Sequence[Path]) -> str:
    """SHA-256 over the names and the contents of the folders' episodes, in order."""
    digest = hashlib.sha256()
    for folder in folders:
        for path in episode_paths(folder):
            digest.update(path.name.encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def require_still(folders: Sequence[Path], episodes: Sequence[int]) -> None:
    """Refuses folders that hold other than the `episodes` (number in each) that were read: someone
    is still collecting, and what was read would go by the name of what is there now."""
    for folder, read in zip(folders, episodes, strict=True):
        now = len(episode_paths(folder))
        if now != read:
            raise FbRosError(
                f"{folder} had {read} episodes when they were read and has {now} now; "
                "start again when nobody writes there any more"
            )
