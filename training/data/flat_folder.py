"""The folder of a flat copy: one process at a time writes it, completely or not at all."""

from __future__ import annotations

import errno
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fb_ros.errors import FbRosError

FLAT = "flat"
INDEX, ROWS, PHYSICS, STEPS = "index.json", "rows.f32", "physics.f64", "steps.i64"
"""Names of the files of a flat copy."""


def remove_copy(flat: Path) -> None:
    """Removes a flat copy, and nothing else that has its name."""
    if flat.is_symlink() or (flat.exists() and not flat.is_dir()):
        raise FbRosError(f"{flat} is in the way of the flat copy of the data; move it away")
    if not flat.is_dir():
        return
    others = {path.name for path in flat.iterdir()} - {INDEX, ROWS, PHYSICS, STEPS}
    if others:
        raise FbRosError(
            f"{flat} holds {sorted(others)[0]}, which is no part of a flat copy of the data; move "
            "it away"
        )
    shutil.rmtree(flat)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Waits until no other process writes a flat copy there, and makes others wait."""
    try:
        with (folder / f".{FLAT}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
    except PermissionError as error:
        raise FbRosError(
            f"{folder} cannot be written to, and training needs a flat copy there; make it "
            "writable, or copy it"
        ) from error
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        raise FbRosError(
            f"{folder} is on a file system that is read-only, and training needs a flat copy "
            "there; copy it elsewhere"
        ) from error


@contextmanager
def scratch_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the final one; it is removed at the end unless it was renamed."""
    scratch = folder / f".{FLAT}.partial"
    # A process that was killed while writing left it: no other process writes now.
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir()
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
