"""Finds launch files, configuration and models, installed or in a checkout."""

from __future__ import annotations

import sys
from pathlib import Path

from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.bundle.files import DESCRIPTION
from fb_ros.errors import FbRosError
from fb_ros.home import expanded, kept_in


def share_folders() -> list[Path]:
    """Folders that may hold `config`, `launch` and `models`, most specific first."""
    package = Path(__file__).resolve().parent
    checkout = package.parent
    folders = [checkout] if (checkout / "package.xml").is_file() else []
    # colcon installs to <prefix>/lib/python3.X/site-packages, pip to the environment's prefix.
    folders += [prefix / "share" / "fb_ros" for prefix in (*package.parents, Path(sys.prefix))]
    return [folder for folder in folders if folder.is_dir()]


def shipped(kind: str, name: str) -> Path | None:
    """A shipped file or folder of that kind (`config`, `launch` or `models`); None if missing."""
    for folder in share_folders():
        path = folder / kind / name
        if path.exists():
            return path
    return None


def skills_folder(robot: str) -> Path:
    """The folder of a person's skills for the robot of that name (XDG base directories)."""
    return kept_in("XDG_DATA_HOME", ".local/share") / "fb_ros" / "skills" / robot


def find_bundle(bundle: Path) -> Path:
    """The folder of a bundle, given by its path or, if it ships, by its name."""
    bundle = expanded(bundle)
    if str(bundle) in ("", "."):
        raise FbRosError("no bundle was given; name a bundle's folder or a shipped model")
    if (bundle / DESCRIPTION).is_file() or len(bundle.parts) > 1:
        return bundle
    found = shipped("models", bundle.name)
    if found is None:
        names = sorted(
            {
                path.parent.name
                for folder in share_folders()
                for path in folder.glob(f"models/*/{DESCRIPTION}")
            }
        )
        raise FbRosError(
            f"there is no bundle {str(bundle)!r}: no such folder, and the models that ship are: "
            + (", ".join(names) or "none")
        )
    return found


def open_bundle(bundle: Path | str, *, signed_by: Path | None = None) -> Bundle:
    """Loads a bundle, given by its folder or, if it ships, by its name.

    Raises:
        FbRosError: There is no such bundle, its hashes or numbers do not fit, or the owner of the
            public key in the file `signed_by` did not sign it.
    """
    return load_bundle(find_bundle(Path(bundle)), signed_by=signed_by)
