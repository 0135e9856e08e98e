"""The folder that a bundle is written to; an export only ever replaces a bundle."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fb_ros.bundle.files import DESCRIPTION, FILES, OPTIONAL_FILES
from fb_ros.bundle.signature import SIGNATURE
from fb_ros.errors import FbRosError
from fb_ros.folder_lock import sole_writer

_OURS = {DESCRIPTION, SIGNATURE, *FILES, *OPTIONAL_FILES}


@contextmanager
def bundle_folder(out: Path) -> Iterator[Path]:
    """A folder to write to; it replaces the bundle `out` once everything is written.

    If that fails, the written files are removed, and `out` stays as it was.

    Raises:
        FbRosError: `out`, or the folder beside it that is written to, holds anything but a bundle,
        or
            another process exports to it.
    """
    partial = out.with_name(out.name + ".partial")
    with sole_writer(out.with_name(f".{out.name}.writing"), f"fb_ros export --out {out}"):
        for folder in (out, partial):
            _require_ours(folder)
        _remove(partial)
        partial.mkdir(parents=True)
        try:
            yield partial
            _remove(out)
            partial.rename(out)
        finally:
            with suppress(OSError):  # The folder stays if it holds other files.
                _remove(partial)


def _require_ours(folder: Path) -> None:
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise FbRosError(f"{folder} is there and no folder; choose another --out")
    if not folder.is_dir():
        return
    others = sorted(path.name for path in folder.iterdir() if path.name not in _OURS)
    if others:
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        raise FbRosError(
            f"{folder} holds {others[0]}{more}, which no export wrote and none deletes; choose "
            "another --out or move it away"
        )


def _remove(folder: Path) -> None:
    """Removes a bundle's files; the folder stays if other files were added."""
    if not folder.is_dir():
        return
    for name in _OURS:
        (folder / name).unlink(missing_ok=True)
    folder.rmdir()
