"""Configuration of `fb_ros collect`."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Literal

from fb_ros.command import CommandConfig
from fb_ros.errors import FbRosError
from fb_ros.settings import require_at_least
from sim.ranges import require_seed
from sim.robots.registry import require_robot
from sim.robots.start import Start
from sim.tasks.reward_tasks import reward_tasks
from training.agents.td3_config import Td3Config
from training.collecting.controller_script import WalkConfig
from training.collecting.exploration import ExplorationConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnlineConfig:
    """How an agent learns while it collects data."""

    td3: Td3Config = dataclasses.field(default_factory=lambda: Td3Config(learning_rate=1e-3))
    """The agent."""
    warm_up: int = 10_000
    """Transitions of random motion before it acts and learns."""
    updates_per_step: float = 0.25
    """Updates per transition."""
    round_episodes: int = 8
    """Episodes that are collected together with one state of the agent."""
    noise: float = 0.2
    """Standard deviation of the noise on its actions."""
    capacity: int = 1_000_000
    """Number of the newest transitions, from which it learns."""

    def __post_init__(self) -> None:
        require_at_least(self, 1, "warm_up", "round_episodes", "capacity")
        if self.updates_per_step <= 0.0:
            raise FbRosError(f"updates_per_step is {self.updates_per_step}, expected above 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class CollectConfig(CommandConfig):
    """Collect episodes of random motion, an explorer, agents at several tasks, or a controller.

    The data depend on the seed and the settings, not on the number of workers. The same command
    continues an interrupted run.
    """

    robot: str = "jaco"
    """Robot to simulate."""
    method: Literal["noise", "rnd", "mood", "controller"] = "noise"
    """`noise`: random, temporally correlated actions. `rnd`: an agent that learns meanwhile to
    reach new states (random network distillation). `mood`: an agent for each of `tasks`,
    whose episodes of the highest return are pooled (mixed-objective data). `controller`:
    recordings of a velocity-following controller that the robot already has."""
    out: Path = Path("data/jaco")
    """Folder for the episodes."""
    episodes: int = 6000
    """Number of episodes."""
    episode_steps: int = 100
    """Longest episode, in control periods."""
    margin: float = 0.1
    """An episode ends, in a terminal state, when the goal feature is further than this outside the
    goal box; mobile robots may go anywhere."""
    start: Start = "benchmark"
    """Initial states of a robot with legs: those of its benchmark, or `standing`."""
    seed: int = 0
    """Seed of the whole data set."""
    workers: int = dataclasses.field(default_factory=lambda: os.cpu_count() or 1)
    """Number of processes."""
    explore: ExplorationConfig = dataclasses.field(default_factory=ExplorationConfig)
    """How random actions are drawn."""
    online: OnlineConfig = dataclasses.field(default_factory=OnlineConfig)
    """The agents of `rnd` and `mood`."""
    tasks: tuple[str, ...] = ()
    """Tasks of `mood`; none: all of the robot's benchmark."""
    keep_share: float = 0.25
    """Share of each task's episodes that `mood` keeps."""
    policy: Path | None = None
    """Bundle of an earlier model that reaches for random goals, so that the states it reaches are
    in the data; its actions are mixed with random ones. None: only random actions."""
    goal_steps: float = 80.0
    """Mean number of control periods between that model's goals (geometric)."""
    reward_share: float = 0.0
    """Share of its goals that are random rewards instead, of the kinds that people type, so that
    what is far from every goal is in the data, too; needs torch."""
    controller: Path | None = None
    """ONNX file of the controller that the method `controller` records."""
    controller_layout: Path = Path("legged_gym.yaml")
    """YAML file of the controller's inputs and outputs: a path, or one that ships in `config/`."""
    walk: WalkConfig = dataclasses.field(default_factory=WalkConfig)
    """The controller's commands and disturbances."""

    def __post_init__(self) -> None:
        require_robot(self.robot)
        require_seed(self.seed)
        if self.method != "noise" and self.policy:
            raise FbRosError(f"policy goes with the method noise, not with {self.method}")
        if (self.method == "controller") != (self.controller is not None):
            raise FbRosError(
                "controller goes with the method controller, and that method with a controller: "
                f"method is {self.method}, controller {self.controller}"
            )
        if self.method == "mood" or self.tasks:
            reward_tasks(self.robot, self.tasks)
        if not 0.0 < self.keep_share <= 1.0:
            raise FbRosError(f"keep_share is {self.keep_share}, expected above 0 and up to 1")
        if not 0.0 <= self.reward_share <= 1.0:
            raise FbRosError(f"reward_share is {self.reward_share}, expected 0 to 1")
        if self.reward_share and not self.policy:
            raise FbRosError("reward_share goes with policy, whose model follows the rewards")
        require_at_least(self, 1, "goal_steps", "episodes", "episode_steps", "workers")
