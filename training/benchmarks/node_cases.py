"""Benchmarks of running nodes: what each measures, and its settings."""

# Each case imports its code when it runs; none of them needs torch.

from __future__ import annotations

import dataclasses
from pathlib import Path

from fb_ros.command import CommandConfig
from fb_ros.paths import find_bundle
from fb_ros.settings import require_at_least

Row = dict[str, object]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Prompts(CommandConfig):
    """The time from a prompt's arrival at task_inference_node to its `z`, with 10,000 reference
    states, four blocks and hidden layers of 256, compared with eager PyTorch."""

    repeats: int = 100
    """Prompts per kind."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from training.benchmarks.benchmark_prompts import benchmark_prompts

        return benchmark_prompts(self.repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Twin(CommandConfig):
    """The time from a reward prompt to the result of the simulated robot's twin, and how often
    policy_node was late meanwhile."""

    bundle: Path = Path("jaco_hand")
    """Folder of a bundle, or the name of a model that ships."""
    repeats: int = 100
    """Number of prompts."""

    def __post_init__(self) -> None:
        require_at_least(self, 2, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_twin import benchmark_twin

        return benchmark_twin(find_bundle(self.bundle).resolve(), self.repeats)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Control(CommandConfig):
    """The time from sending an observation to receiving policy_node's command, at 25 and 250 Hz,
    compared with a node that only echoes."""

    seconds: float = 60.0
    """Time for each node at each rate, s."""
    web: bool = False
    """Also measure a second policy_node, in turns with the first, whose page has one client."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "seconds")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_control import benchmark_control

        return benchmark_control(self.seconds, self.web)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Web(CommandConfig):
    """The page of `fb_ros web` with the simulated arm and one client that reads everything and
    draws nothing: its start, its drawing rate, its cost, and the time from the end of a drag to
    `z`."""

    seconds: float = 30.0
    """Time for which its cost is measured, s."""
    minutes: float = 0.0
    """Minutes for which a client reconnects every minute, to find leaks."""

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
    """Injections per fault."""
    only: tuple[str, ...] = ()
    """Parts of the names of the faults to make; none: all of them."""
    page: Path | None = None
    """Document whose table is rewritten, such as `docs/safety.md`."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "repeats")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_faults import benchmark_faults

        return benchmark_faults(self.repeats, self.only, self.page)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Flood(CommandConfig):
    """How long `z` is silent, and whether the simulated arm stops, after one huge message on each
    prompt topic."""

    megabytes: float = 50.0
    """Size of each message."""

    def __post_init__(self) -> None:
        require_at_least(self, 0, "megabytes")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_flood import benchmark_flood

        return benchmark_flood(self.megabytes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Soak(CommandConfig):
    """Memory and open files of the nodes over a long time, with a prompt every two seconds and a
    fault every twenty."""

    minutes: float = 20.0
    """Duration, minutes."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "minutes")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_soak import benchmark_soak

        return benchmark_soak(60.0 * self.minutes)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Ends(CommandConfig):
    """Whether each node ends in time and with status 0 after one or two signals at random times,
    and whether a killed demo leaves nothing behind."""

    repeats: int = 200
    """Ends per node."""
    killed: int = 50
    """Demos that are killed; as many more have their parent killed."""
    load: int = 2
    """Additional processes that keep the machine busy."""

    def __post_init__(self) -> None:
        require_at_least(self, 0, "repeats", "killed", "load")

    def rows(self) -> list[Row]:
        """Runs it."""
        from sim.bench.benchmark_ends import benchmark_ends

        return benchmark_ends(self.repeats, self.killed, self.load)
