"""HDF5 files whose description of where numbers lie is damaged: none is read as something else."""

from __future__ import annotations

import struct
from pathlib import Path

import h5py
import pytest

from training.benchmarks.damage_originals import drawn_episode, write_minari
from training.data.hdf5_data import read_hdf5

EPISODES = [drawn_episode(number) for number in range(2)]


def damage(path: Path, array: str, *, place: int | None = None, size: int | None = None) -> None:
    """Changes where the one chunk of an array is said to lie, or how long it is."""
    chunks: list[h5py.h5d.StoreInfo] = []
    with h5py.File(path) as file:
        file[array].id.chunk_iter(chunks.append)
        dimensions = file[array].ndim
    content = bytearray(path.read_bytes())
    # A chunk's entry: its size, its filters, its first element's indices, and its place.
    at = content.index(struct.pack("<Q", chunks[0].byte_offset))
    if place is not None:
        content[at : at + 8] = struct.pack("<Q", place)
    if size is not None:
        entry = at - 8 * (dimensions + 1) - 8
        assert struct.unpack_from("<I", content, entry)[0] == chunks[0].size
        content[entry : entry + 4] = struct.pack("<I", size)
    path.write_bytes(content)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    write_minari(tmp_path / "data.hdf5", EPISODES, fletcher32=True)
    return tmp_path / "data.hdf5"


def problems(path: Path) -> list[str]:
    return [recording.problem for recording in read_hdf5(path)]


def test_a_place_beyond_the_end_is_refused_although_hdf5_reads_zeros_there(path: Path) -> None:
    damage(path, "episode_1/actions", place=1 << 40)
    whole, bad = problems(path)
    assert not whole
    assert "actions has 0 of the 1 chunks" in bad


def test_a_chunk_shorter_than_its_checksum_is_not_handed_to_hdf5(path: Path) -> None:
    damage(path, "episode_1/rewards", size=0)
    whole, bad = problems(path)
    assert not whole
    assert "rewards has 0 of the 1 chunks" in bad


def test_arrays_in_one_place_are_refused(path: Path) -> None:
    with h5py.File(path) as file:
        chunks: list[h5py.h5d.StoreInfo] = []
        file["episode_1/terminations"].id.chunk_iter(chunks.append)
    damage(path, "episode_1/truncations", place=chunks[0].byte_offset)
    whole, bad = problems(path)
    assert not whole
    assert "lie in the same place" in bad


def test_zeros_throughout_are_refused(path: Path) -> None:
    with h5py.File(path, "r+") as file:
        file["episode_1/observations"][:] = 0.0
    whole, bad = problems(path)
    assert not whole
    assert "zero throughout" in bad
