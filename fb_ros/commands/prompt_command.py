"""`fb_ros prompt`: ask a running robot for something, or see what would become of it."""

from __future__ import annotations

import dataclasses
import importlib
import time
from pathlib import Path
from typing import Any

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.paths import open_bundle, skills_folder
from fb_ros.prompts.prompt import GoalPoint, Reward
from fb_ros.prompts.prompt_text import RESERVED, parse_prompt
from fb_ros.prompts.skills import SkillLibrary
from fb_ros.task_inference.choice import Choice
from fb_ros.task_inference.inference import Inference
from fb_ros.task_inference.reward_inference import RewardInference
from fb_ros.task_inference.skill_commands import listing
from fb_ros.task_inference.z_digest import z_digest


@dataclasses.dataclass(frozen=True, kw_only=True)
class PromptConfig(CommandConfig):
    """Ask a running robot for something: a reward, a point, a skill, a blend.

    One of `--reward`, `--goal-point`, `--samples`, `--reward-value` and `--text`. A text is any
    prompt, `wave 0.7 + reward(tcp_pos[2] > 0.3) 0.3`, or a line about skills: `save NAME`,
    `list`, `rename OLD NEW`, `delete NAME`, `anew NAME`.
    """

    namespace: str = ""
    """Namespace of the robot; needed only if several robots run."""
    bundle: Path | None = None
    """Folder of a bundle, or the name of a model that ships, for `--dry-run`."""
    reward: str = ""
    """A reward formula over the model's features, such as `tcp_pos[2] > 0.3`."""
    goal_point: tuple[float, ...] = ()
    """A point to reach, in metres."""
    samples: Path | None = None
    """CSV file of labelled states: rows of what the model reads, then the reward."""
    reward_value: float | None = None
    """A reward for the state that the robot is in now."""
    text: str = ""
    """Any prompt, as a line of text."""
    skills: Path | None = None
    """Folder of the saved skills, for `--dry-run`; none: the user's data folder."""
    choice: Choice = "best"
    """How `z` is chosen, for `--dry-run`: the best as the model imagines it, or the papers'
    `mean`."""
    twin: bool = False
    """Also try the prompt in a simulation of the robot, from its first initial state, for
    `--dry-run`."""
    dry_run: bool = False
    """Encode the prompt here, without a robot, and say what would become of it."""
    patience: float = 10.0
    """Seconds to wait for the robot and for its answer."""

    def __post_init__(self) -> None:
        given = [self.reward, self.goal_point, self.samples, self.text.strip()]
        if sum(map(bool, given)) + (self.reward_value is not None) != 1:
            raise FbRosError(
                "give one of --reward, --goal-point, --samples, --reward-value and --text"
            )
        for text in (self.reward, self.text):
            try:
                text.encode()
            except UnicodeError:
                raise FbRosError("the prompt is no UTF-8; write it in plain letters") from None
            if "\0" in text:
                raise FbRosError("the prompt holds a NUL byte, at which ROS cuts texts off")
        if not 0.0 < self.patience < 1e9:
            raise FbRosError(f"patience is {self.patience}, expected seconds above 0")
        if self.twin and not self.dry_run:
            raise FbRosError("--twin is for --dry-run; start the robot with twin:=true")
        if self.reward_value is not None and self.dry_run:
            raise FbRosError("--reward-value is about a robot that moves; leave --dry-run out")

    @property
    def line(self) -> str:
        """The prompt as text."""
        if self.reward:
            return Reward(formula=self.reward).text
        if self.goal_point:
            return GoalPoint(point=self.goal_point).text
        if self.samples:
            try:
                text = self.samples.read_text(encoding="utf-8")
            except UnicodeError as error:
                raise FbRosError(f"{self.samples} is no CSV file in UTF-8: {error}") from None
            rows = [line.strip() for line in text.splitlines()]
            return f"reward_samples({'; '.join(row for row in rows if row)})"
        return self.text.strip()


def prompt(config: PromptConfig) -> Result:
    """Publishes the prompt and returns the answer; with `dry_run`, one that a robot would give."""
    if config.dry_run:
        return _dry_run(config)
    try:
        from fb_ros.nodes.messages import values_of
        from fb_ros.nodes.prompt_client import publish_prompt
    except ModuleNotFoundError as error:
        raise FbRosError(
            f"the Python package {error.name} is missing; source a ROS 2 installation, or "
            "`pip install 'fb_ros[ros]'`, or take --dry-run"
        ) from error
    status = publish_prompt(config.namespace, config.line, config.reward_value, config.patience)
    answer = {"ok": status.level != status.ERROR, "message": status.message}
    return answer | values_of(status)


def _dry_run(config: PromptConfig) -> Result:
    if config.bundle is None:
        raise FbRosError("--dry-run needs --bundle: a bundle's folder or a shipped model's name")
    bundle = open_bundle(config.bundle)
    library = SkillLibrary(config.skills or skills_folder(bundle.robot.name))
    inference = RewardInference(bundle, skills=library, choice=config.choice)
    words = config.line.split()
    if words[0] in RESERVED and words != ["list"]:
        raise FbRosError(f"`{words[0]}` would change the skills; leave --dry-run out")
    result: Result = {"ok": True, "model_id": bundle.model_id, "text": config.line}
    if words == ["list"]:
        return result | {"message": listing(library)}
    started = time.perf_counter()
    asked = parse_prompt(config.line)
    if config.twin:
        found, trial = _twin().ask_from_start(bundle, inference, asked)
        result |= {"twin_tried": trial.tried, "twin_best": trial.best}
        result |= {"twin_first_reward": round(trial.first_earned, 6)}
    else:
        found = inference.infer(asked)
    return result | _described(found, time.perf_counter() - started)


def _twin() -> Any:
    """The simulation's module that tries prompts out; it is not part of the robot's side."""
    try:
        return importlib.import_module("sim.twin.asking")
    except ModuleNotFoundError as error:
        raise FbRosError(
            f"the Python package {error.name} is missing; install the simulation with "
            "`pip install 'fb_ros[sim]'`, or leave --twin out"
        ) from error


def _described(inference: Inference, seconds: float) -> Result:
    message = "; ".join(inference.warnings) or "accepted"
    return {
        "message": f"{inference.text}: {message}",
        "z": z_digest(inference.z),
        **{name: round(value, 6) for name, value in inference.figures.items()},
        "time_ms": round(seconds * 1e3, 2),
    }


def _show(result: Result) -> str:
    skipped = ("ok", "message", "text")
    lines = [str(result["message"])]
    lines += [f"  {name:<20} {value}" for name, value in result.items() if name not in skipped]
    return "\n".join(lines)


COMMAND = Command(config=PromptConfig, run=prompt, show=_show)
