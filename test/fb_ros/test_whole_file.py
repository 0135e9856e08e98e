"""Files that are written whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from fb_ros.whole_file import UnwritableError, whole_file


def fill_the_disk(file: Path) -> None:
    """Writes a part of a file, and fails as a full disk does."""
    file.write_text("half")
    raise OSError("the disk is full")


def test_a_file_appears_only_once_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with whole_file(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_write_keeps_the_old_content_and_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(UnwritableError, match="could not be written"), whole_file(path) as partial:
        fill_the_disk(partial)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "file"
    with pytest.raises(UnwritableError, match=str(path)), whole_file(path) as partial:
        partial.write_text("new")


def test_several_writers_have_unfinished_files_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with whole_file(path, writer="1") as one, whole_file(path, writer="2") as two:
        assert one != two
        one.write_text("one")
        two.write_text("two")
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_an_unfinished_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    path, precious = tmp_path / "file", tmp_path / "precious"
    precious.write_text("mine")
    with pytest.raises(UnwritableError), whole_file(path) as partial:
        partial.symlink_to(precious)
    assert precious.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [precious]
