"""Benchmarks of graphs, training and data: what each measures, and its settings."""

# Each case imports its code when it runs, so that graphs can be timed without torch.

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

from fb_ros.benchmark_inference import CASES, inference_rows
from fb_ros.command import CommandConfig
from fb_ros.paths import open_bundle
from fb_ros.settings import require_at_least

Row = dict[str, object]

_SHIPPED = "jaco"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inference(CommandConfig):
    """A policy step, the best of 32 actions and a full encoding of 10,000 states, on every
    installed backend."""

    bundle: Path | None = None
    """Time only this model; none: untrained networks with hidden layers of 256 and 1024, compared
    with eager PyTorch."""
    repeats: int = 100
    """How often each case runs, in hundreds of policy steps."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it; without PyTorch, on a shipped model."""
        bundle = self.bundle
        if bundle is None:
            try:
                from training.benchmarks.benchmark_inference import benchmark_inference

                return benchmark_inference(self.repeats)
            except ModuleNotFoundError as error:
                if error.name != "torch":
                    raise
            bundle = Path(_SHIPPED)
            print(
                f"without PyTorch here: timing the model {bundle}, with nothing beside it",
                file=sys.stderr,
            )
        loaded = open_bundle(bundle)
        rows = inference_rows(loaded, self.repeats, tuple(CASES))
        return [{"model": loaded.path.name, **row} for row in rows]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training(CommandConfig):
    """Updates of each algorithm per second, with 42 observations, 9 actions and `z` of 64, and how
    the rate falls with blocks, batch and width."""

    repeats: int = 15
    """Turns per case."""
    device: str = "cpu"
    """Device to compute on: `cpu`, `cuda` or `cuda:N`, or `auto` for `cuda` if there is one."""

    threads: int = 2
    """CPU threads."""
    profile: bool = False
    """Print each part's share of an update instead."""
    against: Path | None = None
    """Another checkout of fb_ros, timed in turns with this one: prints the ratios instead."""
    pairs: int = 5
    """Turns with that checkout."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")
        require_at_least(self, 1, "threads", "pairs")

    def rows(self) -> list[Row]:
        """Runs it."""
        if self.against is not None:
            from training.benchmarks.benchmark_against import benchmark_against

            return benchmark_against(self.against, self.pairs, self.repeats, self.threads)
        from training.benchmarks.benchmark_training import benchmark_training, profile_training

        measure = profile_training if self.profile else benchmark_training
        return measure(self.repeats, self.device, self.threads)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memory(CommandConfig):
    """Training on a folder of many transitions, which it makes (8 GB of disk), compared with
    training on a small one."""

    transitions: int = 10_000_000
    """Number of transitions in the folder."""
    repeats: int = 150
    """Updates per folder."""
    threads: int = 2
    """CPU threads."""
    folder: Path | None = None
    """Where it makes its folders and leaves them; none: a place that is removed afterwards."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_memory import benchmark_memory

        return benchmark_memory(self.transitions, self.repeats, self.threads, self.folder)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Collect(CommandConfig):
    """Transitions of random motion per second on all cores, for each robot, compared with
    dm_control's own loops."""

    repeats: int = 120
    """Episodes per robot."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_collect import benchmark_collect

        return benchmark_collect(self.repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Damage(CommandConfig):
    """The outcome of reading damaged files: bundles' descriptions, npz, HDF5, YAML, checkpoints,
    records and skills. Fails if one is read wrongly or ends in a traceback."""

    repeats: int = 3000
    """Damaged files of npz and of HDF5 each; half as many descriptions, a sixth of the others."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_damage import benchmark_damage

        return benchmark_damage(self.repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Bags(CommandConfig):
    """Time and memory for turning a clean recording of the arm into episodes, for each storage of
    rosbag2."""

    messages: int = 100_000
    """Messages in the recording."""
    against: Path | None = None
    """Another checkout of fb_ros, which converts the same recording in turns with this one."""
    pairs: int = 1
    """Turns."""

    def __post_init__(self) -> None:
        require_at_least(self, 300, "messages")
        require_at_least(self, 1, "pairs")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_bags import benchmark_bags

        return benchmark_bags(self.messages, self.against, self.pairs)
