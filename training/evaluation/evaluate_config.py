"""Settings of a bundle's evaluation."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fb_ros.backends.graphs import Precision
from fb_ros.command import CommandConfig
from fb_ros.errors import FbRosError
from fb_ros.task_inference.choice import Choice
from sim.ranges import require_episodes, require_seed
from sim.robots.start import Start
from sim.tasks.tasks import REACH
from sim.tasks.velocity_task import VELOCITY

PROMPTS = "prompts"
"""Name of the task that means the prompts in the documentation."""
REWARDS = "rewards"
"""Name of the evaluation with `--rewards`, in place of a task's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluateConfig(CommandConfig):
    """Run a bundle's policy in simulation, with a new start and a new goal in each episode."""

    bundle: Path = Path("jaco")
    """Folder of a bundle, or the name of a model that ships."""
    task: str = REACH
    """`reach` for goals drawn from the workspace, a fixed task such as `reach_top_left`, `prompts`
    for the prompts in the documentation, `velocity` for velocities to keep, or `rest` for how far
    joints turn in the 20 s after a goal was reached."""
    rewards: Path | None = None
    """File of reward formulas, one per line, `#` starts a comment: evaluates the reward earned of
    each instead of the task; `config/jaco_rewards.txt` holds formulas that people type for the
    arm."""
    sequence: bool = False
    """Ask for the rewards, or the prompts, one after the other, without resets in between."""
    twin: bool = False
    """Let a simulation of the robot try what the model proposes, and correct its choice."""
    goals: int = 100
    """Episodes, each with its own start and goal; with prompts or rewards, episodes of each."""
    seed: int = 0
    """Seed of starts and goals."""
    start: Start = "standing"
    """Initial states of a robot with legs: `standing`, or those of its `benchmark`."""
    backend: str = "auto"
    """Inference runtime."""
    precision: Precision = "fp32"
    """Precision of the networks' hidden layers."""
    sample_actions: bool = False
    """Use the best of 32 noisy actions, by the model's own value, instead of the mean action."""
    choice: Choice = "best"
    """How `z` is chosen: the best as the model imagines it, or the papers' `mean`."""
    picture: Path | None = None
    """PNG of the first episode, or of a square that is walked (`velocity`); needs a renderer:
    `MUJOCO_GL=egl fb_ros evaluate …`."""
    reference: bool = True
    """Also run the controller that knows the robot's kinematics, if it has one."""

    pushes: bool = False
    """Push the torso by 0.5 m/s every three seconds (`velocity`)."""
    controller: Path | None = None
    """ONNX file of a controller to run under the same velocities, for comparison."""
    controller_layout: Path = Path("legged_gym.yaml")
    """YAML file of the controller's inputs and outputs: a path, or one that ships in `config/`."""

    def __post_init__(self) -> None:
        require_episodes(self.goals)
        require_seed(self.seed)
        if (self.sequence or self.twin) and self.rewards is None and self.task != PROMPTS:
            raise FbRosError(
                f"--sequence and --twin are about prompts; give --rewards or --task {PROMPTS}"
            )
        if (self.pushes or self.controller) and self.task != VELOCITY:
            raise FbRosError(f"--pushes and --controller go with --task {VELOCITY}")
