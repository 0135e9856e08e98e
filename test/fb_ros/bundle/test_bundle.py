"""Bundles: what ships is whole, and what is not whole is refused in one line."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fb_ros.backends.graphs import GRAPHS, POLICY, PRECISIONS
from fb_ros.bundle.bundle import DESCRIPTION, load_bundle
from fb_ros.bundle.hashes import FILES
from fb_ros.bundle.policy import Policy
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3)
    ),
    max_leaves=8,
)


@pytest.fixture
def copied(tmp_path: Path, shipped_bundle: Path) -> Path:
    """A shipped bundle to damage."""
    return Path(shutil.copytree(shipped_bundle, tmp_path / "bundle"))


def refusal(path: Path) -> str:
    with pytest.raises(FbRosError) as error:
        load_bundle(path)
    text = str(error.value)
    assert "\n" not in text
    return text


def rewrite(path: Path, **changes: object) -> None:
    description = json.loads((path / DESCRIPTION).read_text())
    (path / DESCRIPTION).write_text(json.dumps(description | changes))


def test_a_shipped_bundle_says_where_it_came_from(shipped_bundle: Path) -> None:
    bundle = load_bundle(shipped_bundle)
    assert len(bundle.model_id) == 64
    assert len(bundle.blocks) >= 2
    for name in ("agent", "seed", "data", "minutes", "learning_curve", "commit"):
        assert name in bundle.provenance, name
    assert bundle.evaluation["episodes"] >= 100


def test_a_shipped_bundle_loads_all_its_parts(shipped_bundle: Path) -> None:
    bundle = load_bundle(shipped_bundle)
    assert len(bundle.reference_features) == len(bundle.reference_observations)
    for graph in GRAPHS:
        for precision in PRECISIONS:
            bundle.load_graph(graph, precision=precision)


def test_commands_stay_within_the_limits(shipped_bundle: Path) -> None:
    bundle = load_bundle(shipped_bundle)
    policy, rng = Policy(bundle), np.random.default_rng(0)
    for _ in range(100):
        command = policy.command(
            rng.normal(scale=3.0, size=bundle.robot.obs_dim),
            rng.normal(size=bundle.z_dim).astype(np.float32),
        )
        assert np.all(command >= bundle.robot.action_low)
        assert np.all(command <= bundle.robot.action_high)


def test_a_missing_bundle_is_refused(tmp_path: Path) -> None:
    assert "no such folder" in refusal(tmp_path / "nothing")
    assert DESCRIPTION in refusal(tmp_path)


@pytest.mark.parametrize("file", FILES)
def test_a_truncated_file_is_refused(copied: Path, file: str) -> None:
    content = (copied / file).read_bytes()
    (copied / file).write_bytes(content[: len(content) // 2])
    assert file in refusal(copied)


@pytest.mark.parametrize("file", FILES)
def test_a_missing_file_is_refused(copied: Path, file: str) -> None:
    (copied / file).unlink()
    assert file in refusal(copied)


def test_one_flipped_bit_is_refused(copied: Path) -> None:
    content = bytearray((copied / POLICY).read_bytes())
    content[len(content) // 2] ^= 1
    (copied / POLICY).write_bytes(content)
    assert "SHA-256" in refusal(copied)


def test_another_format_version_is_refused(copied: Path) -> None:
    rewrite(copied, format_version=99)
    assert "format version 99" in refusal(copied)


def test_another_models_id_is_refused(copied: Path) -> None:
    rewrite(copied, model_id="0" * 64)
    assert "model id" in refusal(copied)


def test_a_truncated_description_is_refused(copied: Path) -> None:
    text = (copied / DESCRIPTION).read_text()
    (copied / DESCRIPTION).write_text(text[: len(text) // 2])
    assert DESCRIPTION in refusal(copied)


@pytest.mark.parametrize("entry", ["robot", "files", "gamma", "blocks", "provenance"])
def test_a_description_that_lacks_an_entry_is_refused(copied: Path, entry: str) -> None:
    description = json.loads((copied / DESCRIPTION).read_text())
    del description[entry]
    (copied / DESCRIPTION).write_text(json.dumps(description))
    assert refusal(copied)


@given(value=JSON, entry=st.sampled_from(("robot", "files", "gamma", "blocks", "model_id")))
@settings(max_examples=200, deadline=None)
def test_whatever_stands_in_the_description_is_refused_in_one_line(
    root: Path, value: object, entry: str
) -> None:
    """With a hash that fits nothing, so that no random description can be right."""
    original = root / "models" / "point_mass"
    description = json.loads((original / DESCRIPTION).read_text())
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(original, Path(folder) / "bundle"))
        description |= {"model_id": "0" * 64, entry: value}
        (copy / DESCRIPTION).write_text(json.dumps(description))
        refusal(copy)


def test_graphs_that_do_not_fit_the_description_are_refused(copied: Path) -> None:
    rewrite(copied, blocks=[7] * len(load_bundle(copied).blocks))
    with pytest.raises(FbRosError, match="description says"):
        load_bundle(copied).load_graph(POLICY)


def test_shipped_models_are_found_by_name(shipped_bundle: Path) -> None:
    assert load_bundle(find_bundle(Path(shipped_bundle.name))).path.name == shipped_bundle.name


def test_an_unknown_name_lists_what_ships() -> None:
    with pytest.raises(FbRosError, match=r"the models that ship are: .*jaco"):
        find_bundle(Path("yaco"))


def test_an_unknown_backend_lists_the_possible(shipped_bundle: Path) -> None:
    with pytest.raises(FbRosError, match="possible: auto, onnxruntime, tensorrt, tensorrt_rtx"):
        Policy(load_bundle(shipped_bundle), "abacus")
