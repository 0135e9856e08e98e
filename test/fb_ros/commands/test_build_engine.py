"""Real engines of the shipped models, built without a GPU by TensorRT for RTX."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import TensorProto, helper

from fb_ros.backends import backend_class
from fb_ros.backends.backend import GraphFile
from fb_ros.backends.engines.build import find_or_build
from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.engines.cuda import Device
from fb_ros.backends.graphs import GRAPHS, HALF, OUTPUTS, PRECISIONS, Precision
from fb_ros.bundle.bundle import load_bundle
from fb_ros.cli import main
from fb_ros.errors import FbRosError

pytest.importorskip("tensorrt_rtx", reason="there are no wheels of TensorRT for RTX for here")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> EngineCache:
    monkeypatch.setenv("FB_ROS_CACHE_DIR", str(tmp_path / "cache"))
    return EngineCache()


def build_engines(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    assert main(["build-engine", "--json", *words]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert isinstance(printed, dict)
    return printed


@pytest.mark.parametrize("precision", PRECISIONS)
def test_every_graph_becomes_an_engine(
    shipped_bundle: Path,
    capsys: pytest.CaptureFixture[str],
    cache: EngineCache,
    precision: Precision,
) -> None:
    words = ["--bundle", str(shipped_bundle), "--compute-capability", "8.6", "12.0"]
    result = build_engines(capsys, *words, "--precision", precision)
    bundle = load_bundle(shipped_bundle)
    expected = [
        (capability, bundle.graph_file(graph, precision=precision).path.name)
        for capability in ("8.6", "12.0")
        for graph in GRAPHS
    ]
    engines = result["engines"]
    assert [(row["compute_capability"], row["graph"]) for row in engines] == expected
    for row, graph in zip(engines, (*GRAPHS, *GRAPHS), strict=True):
        shapes = {name: [n or -1 for n in s] for name, s in bundle.input_shapes(graph).items()}
        assert row["inputs"] == shapes
        assert tuple(row["outputs"]) == OUTPUTS[graph]
        assert Path(row["path"]).is_file()
        kinds = {layer["type"] for layer in row["layers"]}
        assert "gemm" in kinds or "kgen" in kinds
        data = {kind for layer in row["layers"] for kind in layer["data"].split(", ")}
        assert "Float" in data
        assert ("Half" in data) == (precision == "fp16" and graph in HALF)

    again = build_engines(capsys, *words, "--precision", precision)
    assert all(row["cached"] for row in again["engines"])


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--compute-capability", "8.7"], r"builds ahead of time for 7\.5, .*8\.7 run this on"),
        (["--compute-capability", "8.6", "eight"], "compute capability eight"),
        (["--runtime", "tensorrt", "--compute-capability", "11.0"], "TensorRT is not installed"),
    ],
)
def test_what_the_library_does_not_know_is_said_so(
    root: Path, capsys: pytest.CaptureFixture[str], words: list[str], expected: str
) -> None:
    assert main(["build-engine", "--bundle", str(root / "models" / "point_mass"), *words]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert re.search(expected, said), said


def test_engines_that_could_not_be_kept_are_not_built(
    root: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("FB_ROS_CACHE_DIR", str(tmp_path / "file" / "cache"))
    bundle = str(root / "models" / "point_mass")
    assert main(["build-engine", "--bundle", bundle, "--compute-capability", "8.6"]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "FB_ROS_CACHE_DIR names another folder" in said


def test_an_operator_that_tensorrt_refuses_is_named(tmp_path: Path, cache: EngineCache) -> None:
    shape = (1, 2, 2)
    graph = helper.make_graph(
        [helper.make_node("Det", ["x"], ["y"], "the_determinant")],
        "determinant",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape[:1])],
    )
    path = tmp_path / "determinant.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    library = backend_class("tensorrt_rtx").library
    with pytest.raises(FbRosError, match=r"the_determinant \(Det\)") as refusal:
        find_or_build(library, GraphFile(path=path), Device("", "8.6"), cache=cache)
    assert "\n" not in str(refusal.value)
    assert not list(cache.folder.glob("*.engine"))


def test_check_replays_the_golden_vectors(
    shipped_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", "--bundle", str(shipped_bundle), "--check", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["ok"]
    on_the_cpu = [row for row in result["check"] if row["backend"] == "onnxruntime"]
    assert {row["graph"] for row in on_the_cpu} == {*GRAPHS, *HALF.values()}
    for row in on_the_cpu:
        if row["output"] in ("action", "mean") and row["precision"] == "fp32":
            assert row["error"] <= 1e-5
    assert {"tensorrt", "tensorrt_rtx"} == set(result["absent"]) | {
        row["backend"] for row in result["check"]
    } - {"onnxruntime"}
