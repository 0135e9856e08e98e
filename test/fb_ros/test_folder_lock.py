"""One writer per folder: the second is told who the first is, and nobody's death locks it."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fb_ros.errors import FbRosError
from fb_ros.folder_lock import sole_writer

HOLD = """
import sys, time
from pathlib import Path
from fb_ros.folder_lock import sole_writer
with sole_writer(Path(sys.argv[1]), "the first"):
    print("held", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "folder"


def hold(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_the_second_writer_is_told_of_the_first(folder: Path) -> None:
    with hold(folder) as first:
        with (
            pytest.raises(FbRosError, match=f"written by the first, process {first.pid}; wait"),
            sole_writer(folder, "the second"),
        ):
            pass
        first.kill()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_ends_with_its_process(folder: Path, number: signal.Signals) -> None:
    with hold(folder) as first:
        first.send_signal(number)
        first.wait()
    with sole_writer(folder, "the second"):
        pass


def test_writers_follow_one_another_and_leave_nothing(folder: Path) -> None:
    folder.mkdir()
    for _ in range(3):
        with sole_writer(folder, "one"):
            (folder / "work").write_text("done")
    assert [path.name for path in folder.iterdir()] == ["work"]


def test_who_writes_nothing_leaves_no_folder(folder: Path) -> None:
    with sole_writer(folder, "one"):
        pass
    assert not folder.exists()


def test_the_lock_does_not_follow_links(folder: Path, tmp_path: Path) -> None:
    folder.mkdir()
    other = tmp_path / "precious"
    other.write_text("kept")
    (folder / ".writer.lock").symlink_to(other)
    with pytest.raises(FbRosError, match="cannot be written"), sole_writer(folder, "one"):
        pass
    assert other.read_text() == "kept"


def test_a_place_that_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(FbRosError, match="cannot be written"), sole_writer(tmp_path / "file", "x"):
        pass
