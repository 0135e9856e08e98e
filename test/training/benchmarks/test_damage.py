"""Damaged files: read as they were or refused in one line, never wrongly and never in pieces."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from fb_ros.errors import FbRosError
from training.benchmarks.benchmark_damage import run_batch
from training.benchmarks.damage_trials import TRIALS
from training.data.bags.mapping import read_mapping
from training.data.data_source import format_of, read_recordings
from training.data.episode import read_arrays
from training.data.plain_yaml import read_yaml

EPISODE = "episode_000000_20.npz"


@pytest.mark.parametrize("name", TRIALS)
def test_damaged_files_are_read_as_they_were_or_refused(name: str) -> None:
    """`fb_ros benchmark damage` does the same by the thousand."""
    batch = run_batch(name, 100_000, 60)
    assert not batch.first
    assert not batch.outcomes["wrong"]
    assert batch.outcomes["refused"] > 10
    assert batch.longest_s < 10.0


def problems(path: Path) -> list[str]:
    return [recording.problem for recording in read_recordings(path, None, None)]


def write_header(path: Path, header: str) -> None:
    """An npz of one array whose header says what it likes."""
    import zipfile

    content = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("observation.npy", content + bytes(64))


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000000,)}\n", "promises"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-8,)}\n", "promises"),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (8,)}\n", "objects"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': " + "(" * 2000 + "\n", ""),
    ],
)
def test_a_header_that_lies_costs_nothing_but_its_episode(
    tmp_path: Path, header: str, expected: str
) -> None:
    write_header(tmp_path / EPISODE, header)
    (problem,) = problems(tmp_path)
    assert "is not a whole episode" in problem
    assert expected in problem


def test_a_zip_bomb_is_refused_before_it_grows(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / EPISODE, observation=np.zeros(90_000_000, np.float64))
    assert (tmp_path / EPISODE).stat().st_size < 1_000_000
    (problem,) = problems(tmp_path)
    assert "at most" in problem


def test_arrays_are_read_as_numpy_reads_them(tmp_path: Path) -> None:
    arrays = {
        "empty": np.zeros((21, 0)),
        "columns": np.asfortranarray(np.arange(12.0).reshape(3, 4)),
        "single": np.float32(3.0),
        "big_endian": np.arange(3, dtype=">i4"),
    }
    np.savez(tmp_path / EPISODE, **arrays)  # type: ignore[arg-type]
    found = read_arrays(tmp_path / EPISODE)
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)
        assert found[name].flags.writeable


@pytest.mark.parametrize("kind", ["link", "fifo", "folder", "loop", "device"])
def test_an_episode_is_a_plain_file_of_its_folder(tmp_path: Path, kind: str) -> None:
    elsewhere = tmp_path / "elsewhere.npz"
    np.savez(elsewhere, observation=np.zeros((21, 4)))
    folder = tmp_path / "data"
    folder.mkdir()
    path = folder / EPISODE
    if kind == "link":
        path.symlink_to(elsewhere)
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(FbRosError):
        read_arrays(path)
    assert problems(folder)[0]


def test_a_folder_that_is_a_link_is_its_owners_choice(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    np.savez(tmp_path / "data" / EPISODE, observation=np.zeros((21, 4)))
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert "observation" in read_arrays(tmp_path / "link" / EPISODE)


@pytest.mark.parametrize("kind", ["external_link", "soft_link", "external_data", "virtual"])
def test_hdf5_takes_nothing_from_other_files(tmp_path: Path, kind: str) -> None:
    secret = tmp_path / "secret.hdf5"
    with h5py.File(secret, "w") as file:
        file["numbers"] = np.ones((21, 4), np.float32)
    (tmp_path / "raw").write_bytes(bytes(21 * 4 * 4))
    path = tmp_path / "data.hdf5"
    with h5py.File(path, "w") as file:
        group = file.create_group("episode_0")
        for name in ("actions", "rewards", "terminations", "truncations"):
            group[name] = np.zeros((20, 2) if name == "actions" else 20, np.float32)
        if kind == "external_link":
            group["observations"] = h5py.ExternalLink(str(secret), "numbers")
        elif kind == "soft_link":
            file["there"] = h5py.ExternalLink(str(secret), "numbers")
            group["observations"] = h5py.SoftLink("/there")
        elif kind == "external_data":
            raw = [(str(tmp_path / "raw"), 0, 21 * 4 * 4)]
            group.create_dataset("observations", (21, 4), np.float32, external=raw)
        else:
            layout = h5py.VirtualLayout((21, 4), np.float32)
            layout[:] = h5py.VirtualSource(str(secret), "numbers", (21, 4))
            group.create_virtual_dataset("observations", layout)
    (problem,) = problems(path)
    assert "link to" in problem or "in another file" in problem


def test_hdf5_that_promises_more_than_there_is_costs_nothing(tmp_path: Path) -> None:
    path = tmp_path / "data.hdf5"
    with h5py.File(path, "w") as file:
        group = file.create_group("episode_0")
        huge = {"shape": (10**12, 4), "dtype": np.float32}
        group.create_dataset("observations", chunks=(1000, 4), **huge)
        group.create_dataset("actions", **huge)
        for name in ("terminations", "truncations"):
            group[name] = np.zeros(20)
    (problem,) = problems(path)
    assert "promises" in problem


@pytest.mark.parametrize("name", ["fifo", "device"])
def test_what_is_no_file_is_not_waited_for(tmp_path: Path, name: str) -> None:
    path = tmp_path / "m.hdf5"
    os.mkfifo(path) if name == "fifo" else path.symlink_to("/dev/zero")
    for read in (read_yaml, format_of):
        with pytest.raises(FbRosError):
            read(path)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [*{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}, *{a}]\n"
    for a, b in zip("abcdefghi", "bcdefghij", strict=True)
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "state: {joint_position: 2020-01-01}\naction: 2020-01-01\n",
        "state: {}\naction: {}\nlonggest_gap: 1\n",
        "state: x\naction: y\nlongest_gap: 0x" + "f" * 50_000,
        "state: x\naction: y\nlongest_gap: 1e400",
        "[" * 5000,
        "- " * 5000,
        "a: 1\na: 2\n",
        "? [a]\n: 1\n",
        "!!python/object/apply:os.system [ls]",
        "state: !!binary aGVsbG8=\naction: 1",
        "x" * 200_000,
        "\x00",
        "--- 1\n--- 2\n",
        "<<: {state: 1}",
        "",
    ],
)
def test_whatever_a_mapping_says_it_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "m.yaml"
    path.write_text(text)
    with pytest.raises(FbRosError) as refusal:
        read_mapping(path)
    assert "\n" not in str(refusal.value)
    assert len(str(refusal.value)) < 1000


def test_yaml_says_numbers_truths_and_texts(tmp_path: Path) -> None:
    path = tmp_path / "m.yaml"
    path.write_text("{a: 1, b: -2.5e3, c: yes, d: true, e: '1', f: ~, g: [1, x], h: 12:30}")
    assert read_yaml(path) == {
        **{"a": 1.0, "b": -2500.0, "c": "yes", "d": True, "e": "1", "f": None},
        **{"g": [1.0, "x"], "h": "12:30"},
    }
