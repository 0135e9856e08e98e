"""The memory of training on many transitions, and whether it is slower than on few."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from fb_ros.errors import FbRosError
from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from sim.progress import progress_bar
from sim.robots.registry import make_environment
from training.agents.agent import Agent
from training.agents.agent_config import AgentConfig
from training.agents.sampler import Sampler
from training.data.data import Transitions
from training.data.episode import Episode, episode_paths, save_episode

_ROBOT = "jaco"
_STEPS = 1000
_FEW = 100_000
# Updates per turn: the sizes take turns, so that a busy moment of the machine affects both.
_TURN = 5


def benchmark_memory(
    transitions: int, updates: int, threads: int, folder: Path | None
) -> list[dict[str, object]]:
    """Returns rows for a small folder and for one of `transitions`, made of noise in the arm's
    layout.

    A separate process trains on each: it first makes the mapped copy and then makes `updates`
    updates of the default agent. `rss_mb` is the largest memory that it ever had resident, mapped
    files included; `per_s` is the rate of its fastest turn, the least disturbed one; `cpu_ms` is
    an update's time on a core, whatever else the machine does.
    """
    if transitions <= _FEW:
        raise FbRosError(f"transitions is {transitions}, expected more than {_FEW}")
    with tempfile.TemporaryDirectory() as scratch:
        root = folder or Path(scratch)
        sizes = {"few": _FEW, "many": transitions}
        for name, count in sizes.items():
            _make(root / name, count)
        trainers = {name: _Trainer(root / name, threads) for name in sizes}
        seconds: dict[str, list[float]] = {name: [] for name in sizes}
        cpu: dict[str, list[float]] = {name: [] for name in sizes}
        turns = max(2, updates // _TURN)
        for _ in progress_bar(range(turns), title="train", unit="turn"):
            for name, trainer in trainers.items():
                wall, used = trainer.turn()
                seconds[name].append(wall)
                cpu[name].append(used)
        resident = {name: trainer.end() for name, trainer in trainers.items()}
    speed = {name: _TURN / min(times) for name, times in seconds.items()}
    return [
        {
            "case": name,
            "transitions": count,
            "per_s": speed[name],
            "cpu_ms": 1e3 * float(np.median(cpu[name])) / _TURN,
            "rss_mb": resident[name],
            "prepare_s": trainers[name].prepare_s,
            "speed_of_few": speed[name] / speed["few"],
            "reference": name == "few",
        }
        for name, count in sizes.items()
    ]


class _Trainer:
    """A process that trains in turns."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "training.benchmarks.benchmark_memory",
                str(folder),
                str(threads),
            ],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._folder = folder
        (self.prepare_s,) = self._answer()

    def turn(self) -> tuple[float, float]:
        """Trains for one turn; returns its wall time and CPU time, s."""
        assert self._process.stdin is not None
        self._process.stdin.write("turn\n")
        self._process.stdin.flush()
        wall, cpu = self._answer()
        return wall, cpu

    def end(self) -> float:
        """Ends the process; returns its largest resident memory, in MB."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        (most,) = self._answer()
        self._process.wait()
        return most

    def _answer(self) -> list[float]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise FbRosError(f"training on {self._folder} failed; see above")
        return [float(word) for word in line.split()]


def _make(folder: Path, transitions: int) -> None:
    """Makes episodes of noise with plausible features; keeps those that exist."""
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


def _train(folder: Path, threads: int) -> None:
    """Runs in the process: replies with the seconds of its preparation, then with those of each
    requested turn, then with its largest memory."""
    torch.set_num_threads(threads)
    spec = make_environment(_ROBOT).spec
    started = time.perf_counter()
    data = Transitions((folder,), spec)
    config = AgentConfig()
    torch.manual_seed(0)
    agent = Agent(config, spec, data)
    sampler = Sampler(config, spec, data, agent.networks)
    generator = torch.Generator().manual_seed(0)
    print(time.perf_counter() - started, flush=True)
    for _ in sys.stdin:
        begun, cpu = time.perf_counter(), time.process_time()
        for _ in range(_TURN):
            agent.update(*sampler.sample(generator), generator)
        print(time.perf_counter() - begun, time.process_time() - cpu, flush=True)
    print(_most_resident_mb(), flush=True)


def _most_resident_mb() -> float:
    """The largest resident memory that this process ever had, in MB (VmHWM of Linux)."""
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise FbRosError("this system does not tell how much memory a process has had")


if __name__ == "__main__":
    _train(Path(sys.argv[1]), int(sys.argv[2]))
