"""Engines on disk, each under a key of everything that it depends on."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from fb_ros.errors import FbRosError
from fb_ros.home import expanded, kept_in
from fb_ros.private_files import is_trusted_folder, open_private, read_trusted
from fb_ros.whole_file import UnwritableError, whole_file

_LOG = logging.getLogger(__name__)
# The first line of a file; another layout gets another name.
_MAGIC = b"fb_ros engine 1\n"
# A SHA-256 has this many bytes.
_DIGEST = 32
_MOST_ENGINE, _MOST_HEADER, _MOST_EXTRA = 2 << 30, 4 << 20, 1 << 30
LONGEST_WAIT = 60.0
"""Most seconds that a process waits for another one's engine."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EngineKey:
    """The key of an engine: the only graph, GPU and settings that it is used for."""

    graph: str
    """SHA-256 of the ONNX file."""
    flavour: str
    """`tensorrt` or `tensorrt_rtx`."""
    version: str
    """Version of that library."""
    capability: str
    """Compute capability of the GPU."""
    device: str
    """Name of the GPU, if the engine runs on that model only; else empty."""
    precision: str
    """`fp32` or `fp16`."""
    rows: tuple[int, int]
    """Usual and largest length of those inputs that may have any."""
    recipe: int = 1
    """A number that changes with the way in which fb_ros builds engines."""

    @property
    def digest(self) -> str:
        """The name of the engine's file."""
        text = json.dumps(dataclasses.asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Engine:
    """A built engine."""

    plan: bytes
    """The plan that TensorRT deserialises."""
    description: dict[str, Any]
    """Inputs, outputs and layers, as the builder reported them, and the seconds it took."""


def cache_folder() -> Path:
    """Folder of the engines: `FB_ROS_CACHE_DIR`, or the user's cache (XDG base directories)."""
    own = os.environ.get("FB_ROS_CACHE_DIR")
    if own:
        return expanded(Path(own))
    return kept_in("XDG_CACHE_HOME", ".cache", own="FB_ROS_CACHE_DIR") / "fb_ros"


class EngineCache:
    """One folder of engines, shared by all processes of a machine."""

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder or cache_folder()

    def path(self, key: EngineKey) -> Path:
        """The file of an engine."""
        return self.folder / f"{key.digest}.engine"

    def require_writable(self) -> None:
        """Refuses a folder that cannot be written."""
        try:
            self._make_folder()
            with tempfile.TemporaryFile(dir=self.folder):
                pass
        except OSError as error:
            raise FbRosError(
                f"{self.folder} cannot be written ({error.strerror or error}): engines could not "
                "be kept; FB_ROS_CACHE_DIR names another folder"
            ) from error

    def load(self, key: EngineKey) -> Engine | None:
        """The engine of exactly that key; None where there is none, or only a damaged one."""
        path = self.path(key)
        try:
            content = self._read(path, _MOST_ENGINE)
        except FileNotFoundError:
            return None
        except OSError as error:
            _LOG.warning("%s is not used (%s)", path, error)
            return None
        try:
            end = content.find(b"\n", len(_MAGIC), len(_MAGIC) + _MOST_HEADER)
            header, plan = content[len(_MAGIC) : max(0, end)], content[end + 1 :]
            described = json.loads(header) if content.startswith(_MAGIC) else {}
            whole = (
                described["key"] == json.loads(json.dumps(dataclasses.asdict(key)))
                and described["sha256"] == hashlib.sha256(plan).hexdigest()
            )
            description = dict(described["description"])
        except (ValueError, KeyError, TypeError, RecursionError):
            whole = False
        if not whole:
            _LOG.warning("%s is damaged or of something else; it is not used", path)
            return None
        return Engine(plan=plan, description=description)

    def store(self, key: EngineKey, engine: Engine) -> None:
        """Writes an engine whole or not at all; a folder that cannot be written only warns."""
        header = {
            "key": dataclasses.asdict(key),
            "sha256": hashlib.sha256(engine.plan).hexdigest(),
            "description": engine.description,
        }
        self._write(self.path(key), _MAGIC + json.dumps(header).encode() + b"\n" + engine.plan)

    def forget(self, key: EngineKey) -> None:
        """Removes an engine."""
        with contextlib.suppress(OSError):
            self.path(key).unlink()

    def load_extra(self, name: str) -> bytes:
        """The cache that a library keeps between builds or runs; empty where none is whole."""
        try:
            content = self._read(self.folder / name, _MOST_EXTRA)
        except OSError:
            return b""
        digest, extra = content[:_DIGEST], content[_DIGEST:]
        return extra if hashlib.sha256(extra).digest() == digest else b""

    def store_extra(self, name: str, content: bytes) -> None:
        """Stores the content under that name."""
        if content and content != self.load_extra(name):
            self._write(self.folder / name, hashlib.sha256(content).digest() + content)

    @contextlib.contextmanager
    def building(self, key: EngineKey) -> Iterator[bool]:
        """Lets one process at a time build; another waits, and finds the engine afterwards.

        Gives whether storing the engine is of any use.
        """
        try:
            self._make_folder()
            file = os.fdopen(open_private(self.folder / f"{key.digest}.lock"), "r+b")
        except OSError as error:
            _LOG.warning(
                "%s cannot be written (%s): the engine is built, and built again the next time; "
                "FB_ROS_CACHE_DIR names another folder",
                self.folder,
                error.strerror or error,
            )
            yield False
            return
        with file:
            if not _lock(file, 0.0):
                _LOG.warning("another process builds this engine; waiting for it")
                if not _lock(file, LONGEST_WAIT):
                    _LOG.warning("it has taken %g s; building besides", LONGEST_WAIT)
            yield True

    def _make_folder(self) -> None:
        """Makes the folder, for this user only; raises OSError where another may write to it."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._require_trusted()

    def _require_trusted(self) -> None:
        if not is_trusted_folder(self.folder):
            raise OSError(f"another user may write to it; `chmod go-w {self.folder}`")

    def _read(self, path: Path, most_bytes: int) -> bytes:
        content = read_trusted(path, most_bytes)
        self._require_trusted()
        return content

    def _write(self, path: Path, content: bytes) -> None:
        try:
            with whole_file(path, writer=str(os.getpid())) as partial:
                partial.unlink(missing_ok=True)
                with os.fdopen(open_private(partial), "wb") as file:
                    os.fchmod(file.fileno(), 0o644)  # Others may read the file, never write it.
                    file.write(content)
        except UnwritableError as error:
            _LOG.warning("%s", error)


def _lock(file: IO[bytes], seconds: float) -> bool:
    """Whether the lock was obtained within `seconds`."""
    end = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                return False
            time.sleep(0.1)
        else:
            return True


def file_digest(path: Path) -> str:
    """SHA-256 of a file."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FbRosError(f"{path} is not readable ({error})") from error
