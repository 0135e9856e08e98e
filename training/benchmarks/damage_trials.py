"""Single trials: a file is damaged and read; it must come out unchanged or be refused.

A `Trial` takes a generator and returns `read`, `refused` or `wrong`; anything else that it raises
is a fault of the reader.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal

import h5py
import numpy as np
import torch
import yaml

from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.files import DESCRIPTION, FILES, OPTIONAL_FILES
from fb_ros.errors import FbRosError
from fb_ros.paths import find_bundle, shipped
from fb_ros.prompts.skills import SavedSkill, SkillLibrary
from sim.robots.registry import make_environment
from training.benchmarks.damage_originals import (
    CONFIG,
    ROBOT,
    drawn_episode,
    run_of,
    small_agent,
    write_d4rl,
    write_minari,
)
from training.benchmarks.damages import damaged, wrong_value
from training.data.bags.mapping import read_mapping
from training.data.data_source import check, read_recordings
from training.data.episode import save_episode
from training.runs.checkpoint import load_checkpoint, read_record_of, write_checkpoint
from training.runs.run_record import RUN, agent_of, read_run

Outcome = Literal["read", "refused", "wrong"]
Trial = Callable[[np.random.Generator], Outcome]
Arrays = Mapping[str, np.ndarray]


def description_trial(folder: Path) -> Trial:
    """Flips a bit in `bundle.json`, which must then never load."""
    bundle = find_bundle(Path("jaco"))
    content = (bundle / DESCRIPTION).read_bytes()
    for name in (*FILES, *OPTIONAL_FILES):
        if (bundle / name).exists():
            (folder / name).symlink_to((bundle / name).resolve())

    def trial(rng: np.random.Generator) -> Outcome:
        found = bytearray(content)
        found[rng.integers(len(found))] ^= 1 << rng.integers(8)
        (folder / DESCRIPTION).write_bytes(found)
        load_bundle(folder)
        return "wrong"

    return _refusing(trial)


def npz_trial(folder: Path) -> Trial:
    """Damages one episode beside an intact one."""
    spec = make_environment(ROBOT).spec
    whole = drawn_episode(0)
    save_episode(folder, 0, whole)
    plain = save_episode(folder, 1, drawn_episode(1))
    originals = [plain.read_bytes()]
    np.savez_compressed(plain, **dataclasses.asdict(drawn_episode(1)))
    originals.append(plain.read_bytes())
    expected = dataclasses.asdict(drawn_episode(1))

    def trial(rng: np.random.Generator) -> Outcome:
        plain.write_bytes(damaged(originals[rng.integers(2)], rng))
        good, bad = read_recordings(folder, spec, None)
        if good.problem or check(good, spec, None)[1]:
            return "wrong"
        if bad.problem or check(bad, spec, None)[1]:
            return "refused"
        return "read" if _same(bad.arrays, expected) else "wrong"

    return _refusing(trial)


def hdf5_trial(folder: Path) -> Trial:
    """Damages Minari's layout with checksums anywhere, and D4RL's outside its numbers.

    HDF5 keeps no checksum of plain arrays, so a changed number in them cannot be detected.
    """
    path = folder / "data.hdf5"
    episodes = [drawn_episode(number) for number in range(3)]
    write_minari(path, episodes, fletcher32=True)
    minari, expected_minari = path.read_bytes(), _recorded(path)
    write_d4rl(path, episodes)
    d4rl, expected_d4rl = path.read_bytes(), _recorded(path)
    with h5py.File(path) as file:
        numbers = [(array.id.get_offset(), array.id.get_storage_size()) for array in file.values()]

    def trial(rng: np.random.Generator) -> Outcome:
        original, expected = [(minari, expected_minari), (d4rl, expected_d4rl)][rng.integers(2)]
        content = bytearray(damaged(original, rng))
        if original is d4rl and len(content) == len(original):
            for start, size in numbers:
                content[start : start + size] = original[start : start + size]
        path.write_bytes(content)
        found = _recorded(path)
        if len(found) < len(expected):
            return "refused"
        same = (name in expected and _same(found[name], expected[name]) for name in found)
        return "read" if all(same) else "wrong"

    return _refusing(trial)


def yaml_trial(folder: Path) -> Trial:
    """Damages the text or the values of a mapping."""
    original = shipped("config", "jaco_bag.yaml")
    assert original is not None
    text = original.read_bytes()
    data = yaml.safe_load(text)
    path = folder / "mapping.yaml"

    def trial(rng: np.random.Generator) -> Outcome:
        if rng.random() < 0.5:
            path.write_bytes(damaged(text, rng))
        else:
            path.write_text(yaml.safe_dump(wrong_value(data, rng)))
        read_mapping(path)
        return "read"

    return _refusing(trial)


def checkpoint_trial(folder: Path) -> Trial:
    """Damages bytes or the record of a checkpoint: it continues as before, or is refused."""
    agent = small_agent()
    path = folder / "checkpoint.safetensors"
    settings = dataclasses.asdict(agent.config)
    run = {**run_of(settings), "learning_curve": [{"update": 5.0, "mean_return": 1.0}]}
    record = {"update": 5, "minutes": 0.1, "best": None, "settings": {"agent": settings}}
    record["run"] = run
    generators = torch.get_rng_state()[None]
    write_checkpoint(path, agent, generators, record)
    content = path.read_bytes()
    before = {name: value.clone() for name, value in agent.networks.state_dict().items()}

    def trial(rng: np.random.Generator) -> Outcome:
        if rng.random() < 0.5:
            path.write_bytes(damaged(content, rng))
        else:
            write_checkpoint(path, agent, generators, wrong_value(record, rng))
        read_record_of(path)
        try:
            load_checkpoint(path, agent)
            now = agent.networks.state_dict()
            return "read" if all(torch.equal(now[n], before[n]) for n in before) else "wrong"
        finally:
            agent.networks.load_state_dict(before)

    return _refusing(trial)


def record_trial(folder: Path) -> Trial:
    """Makes the record of a run invalid JSON, or changes its contents."""
    path = folder / RUN
    run = run_of(dataclasses.asdict(CONFIG))
    content = json.dumps(run).encode()

    def trial(rng: np.random.Generator) -> Outcome:
        if rng.random() < 0.3:
            path.write_bytes(damaged(content, rng))
        else:
            path.write_text(json.dumps(wrong_value(run, rng)))
        found = read_run(folder)
        agent_of(found, folder)
        return "read"

    return _refusing(trial)


def skill_trial(folder: Path) -> Trial:
    """Damages bytes of a saved skill."""
    library = SkillLibrary(folder)
    z = np.linspace(-1.0, 1.0, 128, dtype=np.float32)
    skill = SavedSkill(name="wave", z=z, model_id="0" * 64, text="goal_point(0, 0, 0)", date="")
    library.save(skill)
    path = folder / "wave.safetensors"
    content = path.read_bytes()

    def trial(rng: np.random.Generator) -> Outcome:
        path.write_bytes(damaged(content, rng))
        found = library.load("wave")
        same = np.array_equal(found.z, z) and (found.text, found.model_id) == (
            skill.text,
            skill.model_id,
        )
        return "read" if same else "wrong"

    return _refusing(trial)


def _refusing(trial: Trial) -> Trial:
    """Checks that a refusal is one line of readable length; such a refusal is a valid outcome."""

    def run(rng: np.random.Generator) -> Outcome:
        try:
            return trial(rng)
        except FbRosError as error:
            text = str(error)
            if "\n" in text or len(text) > 2000:
                raise ValueError(f"a refusal of {len(text)} characters: {text[:80]}") from error
            return "refused"

    return run


def _recorded(path: Path) -> dict[str, Arrays]:
    """The arrays of the intact episodes, by name, as far as the file can be read."""
    found: dict[str, Arrays] = {}
    with contextlib.suppress(FbRosError):
        for recording in read_recordings(path, None, None):
            if not check(recording, None, None)[1]:
                found[recording.name] = recording.arrays
    return found


def _same(found: Arrays, expected: Arrays) -> bool:
    return all(name in expected and np.array_equal(found[name], expected[name]) for name in found)


TRIALS: dict[str, Callable[[Path], Trial]] = {
    "description": description_trial,
    "npz": npz_trial,
    "hdf5": hdf5_trial,
    "yaml": yaml_trial,
    "checkpoint": checkpoint_trial,
    "record": record_trial,
    "skill": skill_trial,
}
"""Makes each trial; a trial writes its files to the folder that it is given."""
