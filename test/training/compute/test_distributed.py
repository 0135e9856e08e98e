"""Several processes train as one does on the joint batch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from fb_ros.errors import FbRosError
from test.training.compute.two_processes import gradients
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.compute import distributed
from training.runs.checkpoint import read_record_of

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def torchrun(root: Path, *words: str) -> None:
    done = subprocess.run(
        [*TORCHRUN, *words], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_gradients_of_two_processes_are_those_of_one_on_the_joint_batch(
    root: Path, tmp_path: Path
) -> None:
    torchrun(root, "-m", "test.training.compute.two_processes", str(tmp_path))
    alone = gradients()
    for rank in (0, 1):
        together = load_file(tmp_path / f"{rank}.safetensors")
        assert together.keys() == alone.keys()
        for name, gradient in alone.items():
            torch.testing.assert_close(together[name], gradient, rtol=1e-6, atol=1e-9, msg=name)
    assert any(name.startswith("fb_aware") and bool(g.any()) for name, g in alone.items())


def test_torchrun_trains_with_two_processes(root: Path, tmp_path: Path) -> None:
    collect(CollectConfig(robot="point_mass", out=tmp_path / "data", episodes=4, workers=1))
    words = ["--robot", "point_mass", "--data", str(tmp_path / "data"), "--threads", "1"]
    words += ["--out", str(tmp_path / "run"), "--updates", "4", "--eval-goals", "1"]
    words += ["--agent.algorithm", "fb_aware", "--agent.hidden", "16", "--agent.batch", "64"]
    torchrun(root, "-m", "fb_ros.cli", "train", *words)
    record = read_record_of(tmp_path / "run" / "checkpoint.safetensors")
    assert record["update"] == 4
    assert record["settings"]["processes"] == 2
    generators = load_file(tmp_path / "run" / "checkpoint.safetensors")["generators"]
    assert len(generators) == 2
    assert not torch.equal(generators[0], generators[1])
    assert (tmp_path / "run" / "curve.csv").read_text().count("\n") == 2


def test_alone_there_is_nothing_to_exchange() -> None:
    rows = torch.randn(3, 2)
    assert torch.equal(distributed.gather(rows), rows)
    assert distributed.gather_with_gradient(rows) is rows
    assert (distributed.count(), distributed.rank()) == (1, 0)
    assert distributed.share(7, "batch") == 7


def test_a_batch_that_does_not_divide_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distributed, "count", lambda: 2)
    with pytest.raises(FbRosError, match="batch is 7, expected a multiple of the 2 processes"):
        distributed.share(7, "batch")
