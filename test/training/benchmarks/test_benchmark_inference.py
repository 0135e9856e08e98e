"""What `fb_ros benchmark inference` prints, with PyTorch beside it and without."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from fb_ros.cli import main
from test.fb_ros.backends.fake_gpu import FAILED, FakeGpu

FIGURES = {"load_ms", "p50_ms", "p99_ms", "p99_9_ms", "max_ms", "per_s"}


def test_a_bundle_is_timed_case_by_case(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bundle = str(root / "models" / "point_mass")
    words = ["benchmark", "inference", "--bundle", bundle, "--repeats", "2", "--json"]
    assert main(words) == 0
    result = json.loads(capsys.readouterr().out)
    assert {"cores", "processor", "python"} <= set(result["machine"])
    rows = [row for row in result["rows"] if row["backend"] == "onnxruntime"]
    assert [row["case"] for row in rows] == ["policy", "best_of_32", "encode"]
    for row in rows:
        assert set(row) >= FIGURES
        assert 0.0 < row["p50_ms"] <= row["p99_ms"] <= row["p99_9_ms"] <= row["max_ms"]


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeGpu:
    monkeypatch.setenv("FB_ROS_CACHE_DIR", str(tmp_path))
    gpu = FakeGpu()
    gpu.install(monkeypatch)
    return gpu


def test_loading_is_timed_with_the_engine_in_the_cache(
    root: Path, gpu: FakeGpu, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle = str(root / "models" / "point_mass")
    assert main(["benchmark", "inference", "--bundle", bundle, "--repeats", "2", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    engines = [row for row in rows if row["backend"] == "tensorrt"]
    assert [(row["case"], row["precision"]) for row in engines] == [
        (case, precision)
        for case in ("policy", "best_of_32", "encode")
        for precision in ("fp32", "fp16")
    ]
    assert all(row["load_ms"] > 0.0 for row in engines)
    assert (gpu.calls["build"], gpu.calls["deserialize"]) == (len(engines), 2 * len(engines))


def test_a_backend_that_fails_keeps_no_other_from_being_timed(
    root: Path, gpu: FakeGpu, capsys: pytest.CaptureFixture[str]
) -> None:
    gpu.failing["build"] = FAILED
    bundle = str(root / "models" / "point_mass")
    assert main(["benchmark", "inference", "--bundle", bundle, "--repeats", "2", "--json"]) == 1
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["case"] for row in rows if set(row) >= FIGURES] == [
        "policy",
        "best_of_32",
        "encode",
    ]
    failures = [row["failure"] for row in rows if row.get("ok") is False]
    assert len(failures) == 6
    assert all("no memory for tactics" in failure for failure in failures)


def test_a_robot_without_pytorch_times_the_shipped_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "training.benchmarks.benchmark_inference", raising=False)
    assert main(["benchmark", "inference", "--repeats", "2"]) == 0
    printed = capsys.readouterr()
    assert printed.err == "without PyTorch here: timing the model jaco, with nothing beside it\n"
    rows = [line.split() for line in printed.out.splitlines()]
    assert ["policy", "jaco", "onnxruntime", "fp32"] in [row[:4] for row in rows]
