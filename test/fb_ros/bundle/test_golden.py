"""Golden vectors: what they hold a graph to, and what happens to a file of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from fb_ros.backends.graphs import GRAPHS, HALF, IMAGINE, POLICY, PRECISIONS, VALUE
from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.description import write_description
from fb_ros.bundle.files import DESCRIPTION, GOLDEN
from fb_ros.bundle.golden import golden_errors, read_golden, write_golden
from fb_ros.bundle.policy import Policy
from fb_ros.errors import FbRosError


@pytest.fixture
def copied(tmp_path: Path, root: Path) -> Path:
    return Path(shutil.copytree(root / "models" / "point_mass", tmp_path / "bundle"))


def describe_anew(bundle: Path) -> None:
    """As somebody would who had changed a file on purpose."""
    write_description(bundle, json.loads((bundle / DESCRIPTION).read_text()))


def test_what_is_written_is_read(copied: Path, tmp_path: Path) -> None:
    golden = read_golden(copied / GOLDEN)
    write_golden(golden, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == (copied / GOLDEN).read_bytes()


def test_every_graph_is_held_to_some(shipped_bundle: Path) -> None:
    golden = load_bundle(shipped_bundle).golden
    # A model whose F predicts no next state has nothing to imagine with.
    imagines = (shipped_bundle / IMAGINE).is_file()
    assert set(golden) == {*GRAPHS, *([IMAGINE] if imagines else [])}
    for graph in golden:
        for case in golden[graph]:
            for value in case.inputs.values():
                np.testing.assert_array_equal(value, value.astype(np.float32))
            assert all(np.all(np.isfinite(value)) for value in case.outputs.values())


def test_the_shipped_policies_meet_the_bounds_of_the_documentation(shipped_bundle: Path) -> None:
    bundle = load_bundle(shipped_bundle)
    for precision, most in zip(PRECISIONS, (4e-6, 6e-3), strict=True):
        for graph in GRAPHS if precision == "fp32" else HALF:
            loaded = bundle.load_graph(graph, "onnxruntime", precision=precision)
            errors = golden_errors(loaded, bundle.golden[graph])
            assert errors.get("action", 0.0) <= most, (graph, errors)


def test_a_graph_that_does_not_repeat_them_is_refused_on_loading(copied: Path) -> None:
    golden = read_golden(copied / GOLDEN)
    golden[POLICY][3].outputs["action"][0, 1] += 1e-4
    write_golden(golden, copied / GOLDEN)
    describe_anew(copied)
    with pytest.raises(FbRosError, match=r"action is wrong by 0\.0001 .* 1e-05 is tolerated"):
        Policy(load_bundle(copied))


def test_a_graph_without_any_is_refused(copied: Path) -> None:
    golden = read_golden(copied / GOLDEN)
    del golden[VALUE]
    write_golden(golden, copied / GOLDEN)
    describe_anew(copied)
    with pytest.raises(FbRosError, match=r"lacks golden vectors of value\.onnx"):
        _ = load_bundle(copied).golden


def test_a_damaged_file_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / GOLDEN).write_bytes(b"\x08\0\0\0\0\0\0\0nonsense")
    with pytest.raises(FbRosError) as refusal:
        read_golden(tmp_path / GOLDEN)
    assert "\n" not in str(refusal.value)
