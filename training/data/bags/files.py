"""The files of a bag, in order, uncompressed, and the message counts in their metadata."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from backports import zstd

from fb_ros.errors import FbRosError

METADATA = "metadata.yaml"
STORAGES = (".mcap", ".db3")
COMPRESSED = ".zstd"
# The recorder writes no hidden files: macOS leaves `._bag_0.mcap` beside a copied bag.
_HIDDEN = "."


@dataclasses.dataclass(frozen=True, kw_only=True)
class BagFiles:
    """The storage files of one bag."""

    paths: tuple[Path, ...]
    """The files in the order of recording; `.zstd` if a file is compressed."""
    counts: Mapping[str, int]
    """Messages by topic according to the metadata; empty without metadata."""


def is_bag(path: Path) -> bool:
    """Whether `path` is a bag: its folder, or one of its files."""
    if path.is_dir():
        return (path / METADATA).is_file() or bool(_storages(path))
    return path.is_file() and _is_storage(path)


def find_files(path: Path) -> BagFiles:
    """The files of the bag `path`, a folder or one file; refuses a bag that lacks some."""
    if not path.is_dir():
        return BagFiles(paths=(path,), counts={})
    there = _storages(path)
    metadata = _read_metadata(path / METADATA)
    if metadata is None:
        return BagFiles(paths=tuple(_without_copies(there)), counts={})
    listed, counts = metadata
    files = [_resolve(path, name) for name in dict.fromkeys(listed)]
    unlisted = {_plain_name(one) for one in there} - {_plain_name(one) for one in files}
    if unlisted:
        raise FbRosError(
            f"{path}: {METADATA} does not list {', '.join(sorted(unlisted))}; move what is not of "
            f"this bag elsewhere, or remove {METADATA}, and all files are read"
        )
    return BagFiles(paths=tuple(files), counts=counts)


@contextlib.contextmanager
def uncompressed(path: Path) -> Iterator[Path]:
    """The file itself, or a decompressed copy of it that is removed afterwards."""
    if path.suffix != COMPRESSED:
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="fb_ros_bag_") as folder:
        copy = Path(folder) / path.stem
        with zstd.open(path, "rb") as source, copy.open("wb") as target:
            shutil.copyfileobj(source, target, 1 << 20)
        yield copy


def _is_storage(path: Path) -> bool:
    return Path(_plain_name(path)).suffix in STORAGES and not path.name.startswith(_HIDDEN)


def _plain_name(path: Path) -> str:
    return path.name.removesuffix(COMPRESSED)


def _storages(folder: Path) -> list[Path]:
    """The storage files of a folder; `bag_10` comes after `bag_9`."""
    found = [one for one in folder.iterdir() if one.is_file() and _is_storage(one)]
    return sorted(found, key=lambda one: _natural(one.name))


def _natural(name: str) -> list[tuple[int, str]]:
    parts = re.split(r"(\d+)", name)
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in parts]


def _without_copies(files: list[Path]) -> list[Path]:
    """Leaves out a compressed file whose uncompressed form lies beside it."""
    names = {one.name for one in files}
    return [one for one in files if one.suffix != COMPRESSED or one.stem not in names]


def _resolve(folder: Path, name: str) -> Path:
    """The file that the metadata call `name`; older versions prefix the folder."""
    plain = Path(name).name.removesuffix(COMPRESSED)
    for candidate in (folder / Path(name).name, folder / plain, folder / (plain + COMPRESSED)):
        if candidate.is_file():
            return candidate
    raise FbRosError(
        f"{folder} lacks {Path(name).name}, which its {METADATA} lists; copy it there, or remove "
        f"{METADATA}, and the files that are there are read"
    )


def _read_metadata(path: Path) -> tuple[list[str], dict[str, int]] | None:
    """Names of the files, and messages by topic; None without metadata."""
    if not path.is_file():
        return None
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
        data: dict[str, Any] = loaded["rosbag2_bagfile_information"]
        names = [str(name) for name in data["relative_file_paths"]]
        counts: dict[str, int] = {}
        for entry in data.get("topics_with_message_count") or ():
            topic = str(entry["topic_metadata"]["name"])
            counts[topic] = counts.get(topic, 0) + int(entry["message_count"])
    except Exception as error:  # YAML and its values can raise anything.
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise FbRosError(
            f"{path} is not a bag's metadata ({reason}); remove it, and the files beside it are "
            "read without"
        ) from error
    if not names:
        raise FbRosError(
            f"{path} lists no files; remove it, and the files beside it are read without"
        )
    return names, counts
