"""Data that change while they are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from fb_ros.errors import FbRosError
from training.data.fingerprint import data_fingerprint, require_still


def test_a_folder_that_grew_since_it_was_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "episode_000000_5.npz").write_bytes(b"first")
    before = data_fingerprint([tmp_path])
    require_still([tmp_path], [1])
    (tmp_path / "episode_000001_5.npz").write_bytes(b"second")
    assert data_fingerprint([tmp_path]) != before
    with pytest.raises(FbRosError, match="had 1 episodes when they were read and has 2 now"):
        require_still([tmp_path], [1])
