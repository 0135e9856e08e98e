"""Commands and disturbances of a recorded controller, drawn for one episode."""

from __future__ import annotations

import dataclasses

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.settings import require_at_least
from training.collecting.controller_layout import ControllerLayout


@dataclasses.dataclass(frozen=True, kw_only=True)
class WalkConfig:
    """How a velocity-following controller is recorded."""

    hold_seconds: tuple[float, float] = (1.0, 3.0)
    """Shortest and longest time that a command is held."""
    zero_share: float = 0.15
    """Share of the commands that ask it to stand. In the second half of such a segment the servos
    hold the posture `stand`, since few controllers stand still by themselves."""
    open_share: float = 0.35
    """Share of zero components in the other commands, so that the data include going straight,
    sideways, and turning on the spot."""
    pose_share: float = 0.12
    """Share of the segments that are scripted slow motion between the layout's postures."""
    pose_seconds: tuple[float, float] = (0.1, 1.0)
    """Shortest and longest time that a posture is held."""
    ramp_seconds: tuple[float, float] = (0.3, 1.2)
    """Shortest and longest time from one posture to the next."""
    noise: tuple[float, ...] = (0.0, 0.0, 0.3, 0.7, 1.2)
    """Sizes of the noise on the controller's output, in its units; one is drawn for each
    segment."""
    noise_memory: float = 0.8
    """Share of the noise that carries over from step to step."""
    push_share: float = 0.006
    """Share of the steps at which the torso is pushed."""
    push_speed: float = 0.8
    """Largest change of its speed by a push, m/s."""
    push_turn: float = 1.0
    """Largest change of its angular velocity by a push, rad/s."""
    fallen_seconds: float = 2.0
    """How long an episode goes on after a fall."""
    fallen_up: float = 0.3
    """Upright component below which the robot has fallen: 1 is level, 0 on its side."""

    def __post_init__(self) -> None:
        for name in ("hold_seconds", "pose_seconds", "ramp_seconds"):
            low, high = getattr(self, name)
            if not 0.0 < low <= high:
                raise FbRosError(f"{name} is {low, high}, expected two rising times")
        for name in ("zero_share", "open_share", "pose_share", "noise_memory", "push_share"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise FbRosError(f"{name} is {getattr(self, name)}, expected 0 to 1")
        require_at_least(self, 0, "push_speed", "push_turn", "fallen_seconds")
        if not self.noise or min(self.noise) < 0.0:
            raise FbRosError(f"noise is {self.noise}, expected sizes of at least 0")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Script:
    """One episode's plan, one row per step."""

    command: np.ndarray
    """Commanded (vx, vy, wz), `(steps, 3)`."""
    pose: np.ndarray
    """Servo targets of scripted motion, `(steps, joints)`; NaN where the controller acts."""
    noise: np.ndarray
    """Noise added to the controller's output, `(steps, joints)`."""
    push: np.ndarray
    """Change of the torso's velocity, `(steps, 6)`: linear, world frame, and angular."""


def draw_script(
    rng: np.random.RandomState,
    config: WalkConfig,
    layout: ControllerLayout,
    steps: int,
    ctrl_dt: float,
) -> Script:
    """The plan of an episode; it begins with a walking segment."""
    joints = len(layout.joints)
    command, pose = np.zeros((steps, 3)), np.full((steps, joints), np.nan)
    size = np.zeros(steps)
    start = 0
    while start < steps:
        length = max(1, round(rng.uniform(*config.hold_seconds) / ctrl_dt))
        segment = slice(start, start + length)
        size[segment] = rng.choice(config.noise)
        if start and rng.uniform() < config.pose_share:
            motion = _poses(rng, config, layout, 2 * length, ctrl_dt)[: steps - start]
            length = len(motion)
            pose[start : start + length] = motion
        else:
            command[segment] = asked = _command(rng, config, layout)
            if not np.any(asked):
                pose[start + length // 2 : start + length] = layout.poses["stand"]
        start += length
    pushed = (rng.uniform(size=steps) < config.push_share)[:, None]
    push = np.zeros((steps, 6))
    push[:, :2] = rng.uniform(-1.0, 1.0, (steps, 2)) * config.push_speed
    push[:, 5] = rng.uniform(-1.0, 1.0, steps) * config.push_turn
    return Script(
        command=command,
        pose=pose,
        noise=size[:, None] * correlated(rng, steps, joints, config.noise_memory),
        push=np.where(pushed, push, 0.0),
    )


def correlated(rng: np.random.RandomState, steps: int, width: int, memory: float) -> np.ndarray:
    """Noise of unit size; the share `memory` carries over from step to step, `(steps, width)`."""
    fresh = rng.normal(size=(steps, width)) * np.sqrt(1.0 - memory**2)
    noise = np.empty((steps, width))
    present = rng.normal(size=width)
    for row, new in zip(noise, fresh, strict=True):
        present = memory * present + new
        row[:] = present
    return noise


def _command(
    rng: np.random.RandomState, config: WalkConfig, layout: ControllerLayout
) -> np.ndarray:
    drawn: np.ndarray = rng.uniform(layout.command_low, layout.command_high)
    drawn[rng.uniform(size=3) < config.open_share] = 0.0
    return drawn * (rng.uniform() >= config.zero_share)


def _poses(
    rng: np.random.RandomState,
    config: WalkConfig,
    layout: ControllerLayout,
    steps: int,
    ctrl_dt: float,
) -> np.ndarray:
    """From standing to mixtures of two postures and back to standing, `(about steps, joints)`."""
    postures = list(layout.poses.values())
    stand = layout.poses["stand"]
    present, parts, left = stand, [], steps
    while True:
        first, second = (postures[rng.randint(len(postures))] for _ in range(2))
        share = rng.uniform()
        goal = share * first + (1.0 - share) * second if left > 0 else stand
        ramp = max(1, round(rng.uniform(*config.ramp_seconds) / ctrl_dt))
        hold = round(rng.uniform(*config.pose_seconds) / ctrl_dt) if left > 0 else 10
        way = np.linspace(0.0, 1.0, ramp + 1)[1:, None]
        parts += [present + way * (goal - present), np.repeat(goal[None], hold, axis=0)]
        if left <= 0:
            return np.concatenate(parts)
        present, left = goal, left - ramp - hold
