"""A name is held by one at a time."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from fb_ros.errors import FbRosError
from fb_ros.nodes.claim import Claim


def test_a_second_claim_is_refused_until_the_first_is_released() -> None:
    name = f"/robot_{os.getpid()}"
    first = Claim(name, refusal="unused")
    with pytest.raises(FbRosError, match="taken already"):
        Claim(name, refusal="taken already")
    other = Claim(name + "/other", refusal="unused")
    first.release()
    again = Claim(name, refusal="unused")
    other.release()
    again.release()


def test_claims_lie_where_only_their_user_can_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    # Neither a folder that others can look into nor a link is this user's own.
    (tmp_path / "open").mkdir(mode=0o755)
    (tmp_path / f"fb_ros_{os.getuid()}").symlink_to(tmp_path / "open")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "open"))
    first = Claim("/robot", refusal="unused")
    assert list((tmp_path / "open").iterdir()) == []
    with pytest.raises(FbRosError, match="taken already"):
        Claim("/robot", refusal="taken already")
    first.release()
    (folder,) = tmp_path.glob("fb_ros_*_1")
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_claim_follows_no_link(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    Claim("/robot", refusal="unused").release()
    (lock,) = (tmp_path / "run").iterdir()
    lock.unlink()
    precious = tmp_path / "precious"
    precious.write_text("kept")
    lock.symlink_to(precious)
    with pytest.raises(FbRosError, match="cannot be opened"):
        Claim("/robot", refusal="unused")
    assert precious.read_text() == "kept"


def test_other_domains_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"/robot_{os.getpid()}"
    first = Claim(name, refusal="unused")
    monkeypatch.setenv("ROS_DOMAIN_ID", "231")
    Claim(name, refusal="unused").release()
    first.release()
