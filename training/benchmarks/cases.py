"""The cases of `fb_ros benchmark`: what each measures, and its settings."""

# What a case runs is imported when it runs: some time a machine that has no need of torch or of a
# simulation.

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path
from typing import Annotated

import tyro

from fb_ros.benchmark_inference import CASES, inference_rows
from fb_ros.bundle.bundle import load_bundle
from fb_ros.command import CommandConfig
from fb_ros.paths import find_bundle
from fb_ros.settings import require_at_least

Row = dict[str, object]

_SHIPPED = "jaco"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prompts(CommandConfig):
    """From a prompt's arrival at task_inference_node to its `z`, with 10,000 reference states,
    four blocks and hidden layers of 256; beside an eager PyTorch evaluation of the same."""

    repeats: int = 100
    """Prompts of each kind."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_prompts import benchmark_prompts

        return benchmark_prompts(self.repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Twin(CommandConfig):
    """From a reward prompt to what the twin of the simulated robot saw, and how often policy_node
    was late meanwhile."""

    bundle: Path = Path("jaco_hand")
    """Folder of a bundle, or the name of a model that ships."""
    repeats: int = 100
    """Prompts."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_twin import benchmark_twin

        return benchmark_twin(find_bundle(self.bundle).resolve(), self.repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Control(CommandConfig):
    """From an observation's way out to policy_node's command's way back, at 25 and 250 Hz; beside
    a node that merely echoes."""

    seconds: float = 60.0
    """How long each node is asked at each rate."""
    web: bool = False
    """Ask a second policy_node in turns with the first, beside a page with one client."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "seconds")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_control import benchmark_control

        return benchmark_control(self.seconds, self.web)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Web(CommandConfig):
    """The page of `fb_ros web` with the simulated arm and one client that reads all and draws
    nothing: its start, how often it draws, what that costs, and from the end of a drag to `z`."""

    seconds: float = 30.0
    """How long it is looked at for its cost."""
    minutes: float = 0.0
    """For so long a client leaves and comes anew every minute, to see what is left of it."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "seconds")
        require_at_least(self, 0, "minutes")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_web import benchmark_web

        return benchmark_web(self.seconds, self.minutes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Faults(CommandConfig):
    """How fast policy_node stops the simulated arm for every fault, and whether it goes on
    afterwards."""

    repeats: int = 100
    """Injections of each fault."""
    page: Path | None = None
    """Document whose table is written anew, such as `docs/safety.md`."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_faults import benchmark_faults

        return benchmark_faults(self.repeats, self.page)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Soak(CommandConfig):
    """Memory and open files of the nodes over a long time with a prompt every two seconds and a
    fault every twenty."""

    minutes: float = 20.0
    """How long it lasts."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "minutes")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_soak import benchmark_soak

        return benchmark_soak(60.0 * self.minutes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ends(CommandConfig):
    """Whether each node ends in time and with status 0, by signals that come at random and twice,
    and whether a demo that is killed leaves nothing behind."""

    repeats: int = 200
    """Ends of each node."""
    killed: int = 50
    """Demos that are killed, and as many whose parent is."""
    load: int = 2
    """Processes that keep the machine busy besides."""

    def __post_init__(self) -> None:
        require_at_least(self, 0, "repeats", "killed", "load")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_ends import benchmark_ends

        return benchmark_ends(self.repeats, self.killed, self.load)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inference(CommandConfig):
    """A policy step, the best of 32 actions and a full encoding of 10,000 states, on every backend
    that is here."""

    bundle: Path | None = None
    """Time this model, by itself; none for untrained networks with hidden layers of 256 and 1024,
    beside eager PyTorch."""
    repeats: int = 100
    """How often each case runs, in hundreds of policy steps."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it; without PyTorch here, of a shipped model."""
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
        loaded = load_bundle(find_bundle(bundle))
        rows = inference_rows(loaded, self.repeats, tuple(CASES))
        return [{"model": loaded.path.name, **row} for row in rows]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Training(CommandConfig):
    """Updates of each algorithm a second on two threads, with 42 observations, 9 actions and `z`
    of 64, and how they fall with blocks, batch and width."""

    repeats: int = 15
    """Turns of each case."""
    device: str = "cpu"
    """Where to compute: `cpu`, `cuda` or `cuda:N`, or `auto` for `cuda` where there is one."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_training import benchmark_training

        return benchmark_training(self.repeats, self.device)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Memory(CommandConfig):
    """Training on a folder of many transitions, which it makes (8 GB of disk), beside training on
    a small one."""

    transitions: int = 10_000_000
    """Size of the folder."""
    repeats: int = 150
    """Updates on each folder."""
    threads: int = 2
    """CPU threads."""
    folder: Path | None = None
    """Where it makes its folders and leaves them; none for a place that is removed."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_memory import benchmark_memory

        return benchmark_memory(self.transitions, self.repeats, self.threads, self.folder)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Collect(CommandConfig):
    """Transitions of random motion a second on all cores, for each robot; beside dm_control's own
    loops."""

    repeats: int = 120
    """Episodes of each."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_collect import benchmark_collect

        return benchmark_collect(self.repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Damage(CommandConfig):
    """What comes of reading damaged files: bundles' descriptions, npz, HDF5, YAML, checkpoints,
    records and skills. Fails where one is read wrongly or ends in a traceback."""

    repeats: int = 3000
    """Damaged files of npz and of HDF5; half as many descriptions, a sixth of the others."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_damage import benchmark_damage

        return benchmark_damage(self.repeats)


Benchmark = (
    Annotated[Prompts, tyro.conf.subcommand("prompts")]
    | Annotated[Twin, tyro.conf.subcommand("twin")]
    | Annotated[Control, tyro.conf.subcommand("control")]
    | Annotated[Web, tyro.conf.subcommand("web")]
    | Annotated[Faults, tyro.conf.subcommand("faults")]
    | Annotated[Ends, tyro.conf.subcommand("ends")]
    | Annotated[Soak, tyro.conf.subcommand("soak")]
    | Annotated[Inference, tyro.conf.subcommand("inference")]
    | Annotated[Training, tyro.conf.subcommand("training")]
    | Annotated[Collect, tyro.conf.subcommand("collect")]
    | Annotated[Memory, tyro.conf.subcommand("memory")]
    | Annotated[Damage, tyro.conf.subcommand("damage")]
)
