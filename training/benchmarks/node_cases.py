"""Benchmarks of running nodes: what each measures, and its settings."""

# What a case runs is imported when it runs: these need no torch.

from __future__ import annotations

import dataclasses
from pathlib import Path

from fb_ros.command import CommandConfig
from fb_ros.paths import find_bundle
from fb_ros.settings import require_at_least

Row = dict[str, object]


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
    """Minutes for which a client reconnects every minute, to see what it leaves behind."""

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
    """Document whose table is rewritten, such as `docs/safety.md`."""

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
