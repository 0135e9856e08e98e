"""Saved prompts: one safetensors file each, tied to the model that they were encoded with."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt_text import require_name
from fb_ros.whole_file import UnwritableError, whole_file

_SUFFIX = ".safetensors"
_NOTES = ("model_id", "text", "date")
_DIGEST = "sha256"
_MOST_BYTES = 10 << 20


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class SavedSkill:
    """One skill."""

    name: str
    z: np.ndarray
    """`(d,)`, float32."""
    model_id: str
    """The model that `z` was encoded with; `z` has no meaning under another."""
    text: str
    """The prompt, in the form that `prompt_text` reads."""
    date: str
    """When the skill was saved, ISO 8601 in UTC."""


class SkillLibrary:
    """The skills in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def names(self) -> list[str]:
        """All names, in order."""
        with _told(f"the skills in {self.folder} cannot be listed"):
            return sorted(path.stem for path in self.folder.glob("*" + _SUFFIX))

    def save(self, skill: SavedSkill) -> None:
        """Writes a skill whole or not at all; replaces one of the same name."""
        path = self._path(skill.name)
        notes = {name: getattr(skill, name) for name in _NOTES}
        notes[_DIGEST] = _digest(skill)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as partial:
                save_file({"z": np.asarray(skill.z, dtype=np.float32)}, partial, metadata=notes)
        except (OSError, UnwritableError) as error:
            raise FbRosError(f"skill {skill.name} cannot be saved: {error}") from error

    def load(self, name: str) -> SavedSkill:
        """Reads a skill; a missing or damaged one is refused by name."""
        path = self._require(name)
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise FbRosError(f"it has more than {_MOST_BYTES} bytes")
            with safe_open(path, framework="numpy") as file:
                notes = file.metadata() or {}
                z = file.get_tensor("z")
            skill = SavedSkill(
                name=name,
                z=z,
                model_id=notes["model_id"],
                text=notes["text"],
                date=notes["date"],
            )
        except Exception as error:  # safetensors raises any exception for a damaged file.
            raise FbRosError(f"{path} is no whole skill ({error}); delete it") from error
        if z.ndim != 1 or z.dtype != np.float32 or not np.all(np.isfinite(z)):
            raise FbRosError(f"{path} is no whole skill (z is not finite float32); delete it")
        # Skills of earlier versions have no digest; a damaged name of one is no missing one.
        whole = set(notes) <= {*_NOTES, _DIGEST} and notes.get(_DIGEST) in (None, _digest(skill))
        if not whole:
            raise FbRosError(f"{path} is no whole skill (it is not what was saved); delete it")
        return skill

    def rename(self, name: str, new: str) -> None:
        """Gives a skill another name, which must be free."""
        path, target = self._require(name), self._path(new)
        with _told(f"skill {new} cannot be looked up"):
            taken = target.exists()
        if taken:
            raise FbRosError(f"there is a skill {new} already; delete it or take another name")
        with _told(f"skill {name} cannot be renamed"):
            path.rename(target)

    def delete(self, name: str) -> None:
        """Removes a skill."""
        path = self._require(name)
        with _told(f"skill {name} cannot be deleted"):
            path.unlink()

    def _path(self, name: str) -> Path:
        require_name(name)
        return self.folder / (name + _SUFFIX)

    def _require(self, name: str) -> Path:
        path = self._path(name)
        with _told(f"skill {name} cannot be looked up"):
            there = path.is_file()
        if not there:
            known = ", ".join(self.names()) or "none"
            raise FbRosError(f"there is no skill {name}; saved are: {known}")
        return path


def _digest(skill: SavedSkill) -> str:
    """SHA-256 over a skill's contents, since nobody could see a change in its numbers."""
    meant = f"{skill.model_id}\n{skill.text}\n{skill.date}\n".encode()
    return hashlib.sha256(meant + np.asarray(skill.z, dtype=np.float32).tobytes()).hexdigest()


@contextlib.contextmanager
def _told(what: str) -> Iterator[None]:
    """Turns a file system's error into a refusal."""
    try:
        yield
    except OSError as error:
        raise FbRosError(f"{what}: {error}") from error
