"""What a node's process gets before anything of it is loaded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

NODE = "import os\ndef main():\n    print(os.environ['OPENBLAS_NUM_THREADS'])\n    return 0\n"


@pytest.mark.parametrize(("given", "threads"), [(None, "1"), ("3", "3")])
def test_numpy_has_one_thread_unless_the_user_wants_more(
    tmp_path: Path, given: str | None, threads: str
) -> None:
    (tmp_path / "lone_node.py").write_text(NODE, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    environment.pop("OPENBLAS_NUM_THREADS", None)
    if given is not None:
        environment["OPENBLAS_NUM_THREADS"] = given
    words = [sys.executable, "-m", "fb_ros.bringup.start", "lone_node"]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == threads
