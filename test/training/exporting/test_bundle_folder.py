"""The folder of a bundle: nothing but a bundle is replaced, and nothing half stays."""

from __future__ import annotations

from pathlib import Path

import pytest

from fb_ros.bundle.files import DESCRIPTION, FILES
from fb_ros.bundle.signature import SIGNATURE
from fb_ros.errors import FbRosError
from training.exporting.bundle_folder import bundle_folder

OURS = (DESCRIPTION, SIGNATURE, *FILES)


def fill(folder: Path, text: str) -> None:
    folder.mkdir(exist_ok=True)
    for name in OURS:
        (folder / name).write_text(text)


def content(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in folder.iterdir()}


def test_a_bundle_takes_the_place_of_the_one_before(tmp_path: Path) -> None:
    out = tmp_path / "bundle"
    for text in ("first", "second"):
        with bundle_folder(out) as partial:
            fill(partial, text)
        assert content(out) == dict.fromkeys(OURS, text)
    assert list(tmp_path.iterdir()) == [out]


@pytest.mark.parametrize("error", [FbRosError, OSError, KeyboardInterrupt])
def test_what_fails_leaves_what_was_there(tmp_path: Path, error: type[BaseException]) -> None:
    out = tmp_path / "bundle"
    fill(out, "first")

    def fail() -> None:
        with bundle_folder(out) as partial:
            fill(partial, "second")
            raise error

    with pytest.raises(error):
        fail()
    assert content(out) == dict.fromkeys(OURS, "first")
    assert list(tmp_path.iterdir()) == [out]


def test_what_a_killed_export_left_is_replaced(tmp_path: Path) -> None:
    fill(tmp_path / "bundle.partial", "half")
    with bundle_folder(tmp_path / "bundle") as partial:
        fill(partial, "whole")
    assert content(tmp_path / "bundle")[DESCRIPTION] == "whole"


@pytest.mark.parametrize("name", ["bundle", "bundle.partial"])
def test_a_folder_with_anything_else_is_refused_and_kept(tmp_path: Path, name: str) -> None:
    fill(tmp_path / name, "first")
    (tmp_path / name / "thesis.tex").write_text("years of work")
    before = content(tmp_path / name)
    with pytest.raises(FbRosError, match=r"holds thesis\.tex"), bundle_folder(tmp_path / "bundle"):
        pass
    assert content(tmp_path / name) == before


def test_a_link_or_a_file_in_its_place_is_refused_and_kept(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    fill(elsewhere, "kept")
    (tmp_path / "bundle.partial").symlink_to(elsewhere)
    (tmp_path / "file").write_text("kept")
    for out in (tmp_path / "bundle", tmp_path / "file"):
        with pytest.raises(FbRosError, match="no folder"), bundle_folder(out):
            pass
    assert content(elsewhere) == dict.fromkeys(OURS, "kept")
    assert (tmp_path / "file").read_text() == "kept"
