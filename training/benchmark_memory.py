"""How much memory training takes on many transitions, and whether it is slower than on few."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from fb_ros.errors import FbRosError
from fb_ros.field import layout_slices
from fb_ros.robot_spec import RobotSpec
from sim.progress import progress_bar
from sim.registry import make_environment
from training.agent import Agent
from training.agent_config import AgentConfig
from training.data import Transitions
from training.episode import Episode, episode_paths, save_episode
from training.sampler import Sampler

_ROBOT = "jaco"
_STEPS = 1000
_FEW = 100_000
_WARM_UP = 10
# Runs of each size, in turn, so that a busy moment of the machine does not hit one alone.
_TURNS = 3


def benchmark_memory(
    transitions: int, updates: int, threads: int, folder: Path | None
) -> list[dict[str, object]]:
    """Rows for a small folder and for one of `transitions`, made of noise in the arm's layout.

    Each is trained on for `updates` updates of the default agent in processes of their own, the
    first of which also makes the mapped copy; `rss_mb` is the most that one ever had resident,
    mapped files included, and `per_s` the median of the processes' updates a second.
    """
    if transitions <= _FEW:
        raise FbRosError(f"transitions is {transitions}, expected more than {_FEW}")
    with tempfile.TemporaryDirectory() as scratch:
        root = folder or Path(scratch)
        sizes = {"few": _FEW, "many": transitions}
        for name, count in sizes.items():
            _make(root / name, count)
        measured: dict[str, list[dict[str, float]]] = {name: [] for name in sizes}
        for _ in range(_TURNS):
            for name, runs in measured.items():
                words = [str(root / name), str(updates), str(threads)]
                program = [sys.executable, "-m", "training.benchmark_memory", *words]
                done = subprocess.run(program, stdout=subprocess.PIPE, check=False)
                if done.returncode:
                    raise FbRosError(f"training on {root / name} failed; see above")
                runs.append(json.loads(done.stdout))
    speed = {name: np.median([run["per_s"] for run in runs]) for name, runs in measured.items()}
    return [
        {
            "case": name,
            "transitions": count,
            "per_s": float(speed[name]),
            "rss_mb": max(run["rss_mb"] for run in measured[name]),
            "prepare_s": max(run["prepare_s"] for run in measured[name]),
            "speed_of_few": float(speed[name] / speed["few"]),
            "reference": name == "few",
        }
        for name, count in sizes.items()
    ]


def _make(folder: Path, transitions: int) -> None:
    """Episodes of noise with plausible features; those that are there already stay."""
    environment = make_environment(_ROBOT)
    folder.mkdir(parents=True, exist_ok=True)
    present = len(episode_paths(folder))
    numbers = range(present, -(-transitions // _STEPS))
    for index in progress_bar(numbers, title=f"make {folder.name}", unit="episode"):
        rng = np.random.default_rng(index)
        save_episode(folder, index, _noise(environment.spec, environment.physics_size, rng))


def _noise(spec: RobotSpec, physics: int, rng: np.random.Generator) -> Episode:
    rows = _STEPS + 1

    def normal(width: int) -> np.ndarray:
        return rng.standard_normal((rows, width), dtype=np.float32)

    features = normal(spec.feature_dim)
    goal = layout_slices(spec.features)[spec.goal_feature]
    features[:, goal] = rng.uniform(spec.goal_low, spec.goal_high, size=(rows, len(spec.goal_low)))
    return Episode(
        observation=normal(spec.obs_dim),
        action=np.clip(normal(spec.act_dim), -1.0, 1.0),
        reward=np.zeros((rows, 1), np.float32),
        discount=np.ones((rows, 1), np.float32),
        physics=normal(physics).astype(np.float64),
        features=features,
    )


def _train(folder: Path, updates: int, threads: int) -> dict[str, float]:
    """One process's figures."""
    torch.set_num_threads(threads)
    spec = make_environment(_ROBOT).spec
    started = time.perf_counter()
    data = Transitions((folder,), spec)
    config = AgentConfig()
    torch.manual_seed(0)
    agent = Agent(config, spec, data)
    sampler = Sampler(config, spec, data, agent.networks)
    generator = torch.Generator().manual_seed(0)
    prepared = time.perf_counter()
    for update in range(_WARM_UP + updates):
        if update == _WARM_UP:
            warm = time.perf_counter()
        agent.update(*sampler.sample(generator), generator)
    return {
        "prepare_s": prepared - started,
        "per_s": updates / (time.perf_counter() - warm),
        "rss_mb": _most_resident_mb(),
    }


def _most_resident_mb() -> float:
    """The most that this process ever had resident, in MB (VmHWM of Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise FbRosError("this system does not tell how much memory a process has had")


if __name__ == "__main__":
    print(json.dumps(_train(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))))
