"""How well a bundle keeps velocities, compared with the controller that it was recorded from."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy
from fb_ros.command import Result
from fb_ros.errors import FbRosError
from fb_ros.prompts.prompt import Velocity
from fb_ros.task_inference.reward_inference import RewardInference
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf, policy_commands
from sim.tasks.velocity_task import (
    VELOCITY,
    ControllerFor,
    keep_velocities,
    require_velocity,
    velocity_figures,
)
from training.collecting.controller_layout import find_layout, read_layout
from training.collecting.velocity_controller import VelocityController
from training.evaluation.evaluate_config import EvaluateConfig


def evaluate_velocity(
    config: EvaluateConfig,
    environment: Environment,
    bundle: Bundle,
    policy: Policy,
    inference: RewardInference,
) -> Result:
    """Commands from standing, and one after the other in `without_stop`; for comparison, the
    figures of standing still and of the controller in the settings."""
    robot = bundle.robot
    require_velocity(robot)
    refused: list[str] = []

    def learned(asked: np.ndarray) -> CommandOf:
        prompt = Velocity(
            linear=(float(asked[0]), float(asked[1]), 0.0), angular=(0.0, 0.0, float(asked[2]))
        )
        try:
            z = inference.infer(prompt).z
        except FbRosError as error:
            refused.append(str(error))
            return _hold
        return policy_commands(robot, policy, z)

    def run(controller_for: ControllerFor, name: str, *, on_and_on: bool = False) -> Any:
        kept = keep_velocities(
            environment,
            controller_for,
            episodes=config.goals,
            seed=config.seed,
            pushes=config.pushes,
            on_and_on=on_and_on,
        )
        shown = progress_bar(kept, title=name, unit="command", total=config.goals)
        return velocity_figures(list(shown))

    if config.picture:
        # Imported only here: without a picture no renderer is needed.
        from sim.picture import draw_square

        environment.reset(episode_rng(config.seed, 0))
        draw_square(environment, learned, config.picture)
    started = time.perf_counter()
    result: Result = {"task": VELOCITY, "robot": robot.name, "pushes": config.pushes}
    result |= run(learned, "policy")
    result["refused"] = len(refused)
    result |= {"seed": config.seed, "model_id": bundle.model_id}
    result["without_stop"] = run(learned, "without a stop", on_and_on=True)
    if config.reference:
        result["standing_still"] = run(lambda asked: _hold, "standing still")
    if config.controller:
        result["controller"] = run(_source(config, environment), "controller")
    return result | {"seconds": time.perf_counter() - started}


def _hold(environment: Environment) -> np.ndarray:
    """The command that the servos already hold."""
    state = environment.robot_state()
    assert state.last_command is not None
    return state.last_command


def _source(config: EvaluateConfig, environment: Environment) -> ControllerFor:
    """The robot's walking controller, run as its maker runs it."""
    assert config.controller is not None
    layout = read_layout(find_layout(config.controller_layout))
    controller = VelocityController(config.controller, layout, environment.spec)

    def controller_for(asked: np.ndarray) -> CommandOf:
        controller.reset()
        spec = environment.spec

        def command_of(environment: Environment) -> np.ndarray:
            targets = controller.targets(environment.robot_state(), asked)
            clipped: np.ndarray = np.clip(targets, spec.action_low, spec.action_high)
            return clipped

        return command_of

    return controller_for


def show_velocity(result: Result) -> str:
    """The figures as a table."""
    pushes = ", pushed" if result["pushes"] else ""
    lines = [
        f"{result['robot']} {result['task']}{pushes}, {result['episodes']} commands, seed "
        f"{result['seed']}, model {result['model_id'][:12]}",
        f"{'':<30} success  falls   off by (m/s, rad/s)   drift standing",
    ]
    rows = {
        "fb_ros, from standing": result,
        "fb_ros, without a stop": result["without_stop"],
        "the recorded controller": result.get("controller"),
        "standing still": result.get("standing_still"),
    }
    for name, row in rows.items():
        if row:
            lines.append(
                f"{name:<30} {row['success']:7.2f} {row['falls']:6.2f} "
                f"{row['mean_velocity_error_mps']:10.3f} {row['mean_yaw_rate_error_radps']:9.3f} "
                f"{100.0 * row['largest_standing_drift_m']:13.1f} cm"
            )
    return "\n".join(lines)
