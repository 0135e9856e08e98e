"""Recording a walking controller: commanded velocities, noise, pushes, postures and falls."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fb_ros.robot.robot_state import RobotState
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from training.collecting.collect_config import CollectConfig
from training.collecting.controller_layout import ControllerLayout, find_layout, read_layout
from training.collecting.controller_script import Script, WalkConfig, draw_script
from training.collecting.rollout import episode_of
from training.collecting.velocity_controller import VelocityController, down
from training.data.episode import Episode

# Noise on scripted postures, as a share of the noise on the controller's output.
_POSE_NOISE = 0.3
# Shares of the time after a fall in which the legs are drawn in, and in which they stand up.
_DRAW_IN, _STAND_UP = 0.4, 0.4
# Upright component above which the robot is back on its feet.
_RECOVERED = 0.7


def require_recordable(config: CollectConfig) -> None:
    """Refuses a controller that cannot run on the robot, before any worker starts."""
    recorder(config, make_environment(config.robot))


def recorder(
    config: CollectConfig, environment: Environment
) -> Callable[[np.random.RandomState], Episode]:
    """A recorder of episodes of the controller that the settings name."""
    assert config.controller is not None
    layout = read_layout(find_layout(config.controller_layout))
    controller = VelocityController(config.controller, layout, environment.spec)
    return lambda rng: record_controller(
        environment, controller, layout, config.walk, steps=config.episode_steps, rng=rng
    )


def record_controller(
    environment: Environment,
    controller: VelocityController,
    layout: ControllerLayout,
    config: WalkConfig,
    *,
    steps: int,
    rng: np.random.RandomState,
) -> Episode:
    """Records an episode of at most `steps` from a new start.

    After a fall the legs are drawn in and stretched, which gets the robot up if it lies on its
    belly; if it stays down, the episode ends. No state is terminal: the data include what follows
    a fall.
    """
    spec = environment.spec
    environment.reset(rng)
    controller.reset()
    script = draw_script(rng, config, layout, steps, spec.ctrl_dt)
    getting_up = max(1, round(config.fallen_seconds / spec.ctrl_dt))
    low, high = np.asarray(spec.action_low), np.asarray(spec.action_high)
    physics, commands = [environment.physics_state()], []
    rest: list[np.ndarray] = []
    was_down = False
    for step in range(steps):
        state = environment.robot_state()
        up = -float(down(state)[2])
        if not rest and was_down:
            if up < _RECOVERED:
                break
            was_down = False
        if not was_down and up < config.fallen_up:
            was_down, rest = True, _getting_up(layout, state, getting_up)
        if rest:
            targets = controller.in_robot_order(rest[0])
            controller.takes_over(rest.pop(0))
        else:
            targets = _targets(controller, layout, script, step, state)
        if np.any(script.push[step]):
            environment.push(script.push[step])
        command = np.clip(targets, low, high)
        environment.step(command)
        physics.append(environment.physics_state())
        commands.append(command)
    actions = spec.action_from_command(np.array(commands))
    return episode_of(environment, np.array(physics), actions, None)


def _targets(
    controller: VelocityController,
    layout: ControllerLayout,
    script: Script,
    step: int,
    state: RobotState,
) -> np.ndarray:
    pose, noise = script.pose[step], script.noise[step]
    if np.isnan(pose[0]):
        return controller.targets(state, script.command[step], noise)
    pose = pose + _POSE_NOISE * noise * layout.output_scale
    controller.takes_over(pose)
    return controller.in_robot_order(pose)


def _getting_up(layout: ControllerLayout, state: RobotState, steps: int) -> list[np.ndarray]:
    """Targets in the controller's order: the legs are drawn in from where they are, then
    stretched."""
    present = state.joint_position[state.joint_indices(layout.joints)]
    lie, stand = layout.poses.get("lie", layout.stance), layout.poses["stand"]
    times = [0.0, _DRAW_IN, _DRAW_IN + _STAND_UP, 1.0]
    marks = np.stack([present, lie, stand, stand])
    share = np.linspace(0.0, 1.0, steps)
    return list(np.stack([np.interp(share, times, mark) for mark in marks.T], axis=1))
