"""Skills: saved whole, bound to their model, refused in one line when they do not fit."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from fb_ros.errors import FbRosError
from fb_ros.prompts.skills import SavedSkill, SkillLibrary

SKILL = SavedSkill(
    name="wave",
    z=np.arange(8, dtype=np.float32),
    model_id="ab" * 32,
    text="reward(tcp_pos[2] > 0.3)",
    date="2026-01-02T03:04:05+00:00",
)


@pytest.fixture
def library(tmp_path: Path) -> SkillLibrary:
    return SkillLibrary(tmp_path / "not" / "there" / "yet")


def test_what_is_saved_is_what_is_loaded(library: SkillLibrary) -> None:
    assert library.names() == []
    library.save(SKILL)
    assert library.names() == ["wave"]
    loaded = library.load("wave")
    np.testing.assert_array_equal(loaded.z, SKILL.z)
    assert (loaded.model_id, loaded.text, loaded.date) == (SKILL.model_id, SKILL.text, SKILL.date)


def test_a_skill_can_be_renamed_replaced_and_deleted(library: SkillLibrary) -> None:
    library.save(SKILL)
    library.rename("wave", "bow")
    library.save(dataclasses.replace(SKILL, name="bow", text="goal_point(1, 2, 3)"))
    assert library.names() == ["bow"]
    assert library.load("bow").text == "goal_point(1, 2, 3)"
    library.save(SKILL)
    with pytest.raises(FbRosError, match="there is a skill wave already"):
        library.rename("bow", "wave")
    library.delete("bow")
    assert library.names() == ["wave"]


def test_an_unknown_skill_is_refused_with_those_that_there_are(library: SkillLibrary) -> None:
    library.save(SKILL)
    for use in (library.load, library.delete):
        with pytest.raises(FbRosError, match="there is no skill bow; saved are: wave"):
            use("bow")


@pytest.mark.parametrize("name", ["", "..", "a/b", "-x", "ä", "a b", "a" * 65])
def test_a_name_that_is_no_file_name_is_refused(library: SkillLibrary, name: str) -> None:
    with pytest.raises(FbRosError, match="no name for a skill"):
        library.save(dataclasses.replace(SKILL, name=name))
    with pytest.raises(FbRosError, match="no name for a skill"):
        library.load(name)


@pytest.mark.parametrize("content", [b"", b"not safetensors", b"\x00" * 64])
def test_a_damaged_skill_is_refused_and_named(library: SkillLibrary, content: bytes) -> None:
    library.save(SKILL)
    path = library.folder / "wave.safetensors"
    path.write_bytes(content)
    with pytest.raises(FbRosError, match=r"wave\.safetensors is no whole skill"):
        library.load("wave")


@pytest.mark.parametrize("damage", [b"sha256", b"sha2q6"])
def test_numbers_that_were_not_saved_are_refused_also_if_the_digest_s_name_is_damaged(
    library: SkillLibrary, damage: bytes
) -> None:
    library.save(SKILL)
    path = library.folder / "wave.safetensors"
    content = path.read_bytes().replace(b"sha256", damage)
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(FbRosError, match="not what was saved"):
        library.load("wave")


def test_a_skill_that_is_not_finite_is_refused(library: SkillLibrary) -> None:
    library.save(dataclasses.replace(SKILL, z=np.array([np.nan], dtype=np.float32)))
    with pytest.raises(FbRosError, match="not finite"):
        library.load("wave")


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float64, torch.float8_e4m3fn])
def test_a_skill_of_another_kind_of_number_is_refused(
    library: SkillLibrary, dtype: torch.dtype
) -> None:
    library.save(SKILL)
    path = library.folder / "wave.safetensors"
    notes = {"model_id": "0", "text": "wave", "date": "now"}
    save_file({"z": torch.zeros(8).to(dtype)}, path, metadata=notes)
    with pytest.raises(FbRosError, match="no whole skill"):
        library.load("wave")


def test_a_folder_that_cannot_be_written_keeps_the_old_skill(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    library = SkillLibrary(tmp_path / "file")
    with pytest.raises(FbRosError, match="skill wave cannot be saved"):
        library.save(SKILL)
