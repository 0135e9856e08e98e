"""Guards that stand between a policy's command and the robot.

Each guard is a function from a command to one that keeps a limit. All arrays are `(act_dim,)`;
`dt` is the control period in seconds. Unmeasured (NaN) and unlimited (infinite) entries are left
as they are.
"""

from __future__ import annotations

import numpy as np

from fb_ros.control.joint_reading import JointReading
from fb_ros.control.limits import Limits
from fb_ros.robot.robot_spec import ActionInterface

# Periods in which a joint at its commanded speed would still not reach its limit.
_BRAKING_PERIODS = 2.0


def smoothed(
    command: np.ndarray, previous: np.ndarray, dt: float, time_constant: float
) -> np.ndarray:
    """First-order low-pass: the response to a step reaches 63 % after `time_constant` seconds."""
    if time_constant <= 0.0:
        return command
    return previous + (1.0 - np.exp(-dt / time_constant)) * (command - previous)


def within_range(command: np.ndarray, limits: Limits) -> np.ndarray:
    """Clips commands to the actuators' range of effort, speed or position."""
    return np.clip(command, limits.command_low, limits.command_high)


def within_velocity(
    command: np.ndarray,
    previous: np.ndarray,
    reading: JointReading,
    limits: Limits,
    interface: ActionInterface,
    dt: float,
) -> np.ndarray:
    """Keeps every joint's commanded speed within its limit.

    An effort is cut where it would push on a joint that is already too fast.
    """
    if interface == "velocity":
        return np.clip(command, -limits.velocity, limits.velocity)
    if interface == "position":
        step = limits.velocity * dt
        return np.clip(command, previous - step, previous + step)
    too_fast = np.abs(reading.velocity) > limits.velocity
    return np.where(too_fast & (command * reading.velocity > 0.0), 0.0, command)


def within_acceleration(
    command: np.ndarray,
    previous: np.ndarray,
    previous_velocity: np.ndarray,
    limits: Limits,
    interface: ActionInterface,
    dt: float,
) -> np.ndarray:
    """Keeps the commanded speed from changing faster than its limit; leaves an effort as it is.

    `previous_velocity` is the speed that the command before asked for.
    """
    step = limits.acceleration * dt
    if interface == "velocity":
        return np.clip(command, previous - step, previous + step)
    if interface == "position":
        low, high = previous_velocity - step, previous_velocity + step
        return np.clip(command, previous + low * dt, previous + high * dt)
    return command


def within_position(
    command: np.ndarray,
    previous: np.ndarray,
    reading: JointReading,
    limits: Limits,
    interface: ActionInterface,
    dt: float,
) -> np.ndarray:
    """Keeps every joint from being sent into its limit, or further beyond it.

    A speed towards a limit is at most the distance left divided by two periods, so the joint comes
    to rest there; every speed back into the range is allowed. A joint found beyond a limit cannot
    be commanded further out. An effort is cut where it would push on a joint that is at its limit.
    """
    if interface == "position":
        low = np.minimum(limits.position_low, previous)
        return np.clip(command, low, np.maximum(limits.position_high, previous))
    if interface == "velocity":
        horizon = _BRAKING_PERIODS * dt
        up = np.maximum(0.0, limits.position_high - reading.position) / horizon
        down = np.maximum(0.0, reading.position - limits.position_low) / horizon
        return np.fmax(np.fmin(command, up), -down)
    # Comparisons with NaN are false, so unmeasured joints are not cut.
    at_high = (reading.position >= limits.position_high) & (command > 0.0)
    at_low = (reading.position <= limits.position_low) & (command < 0.0)
    return np.where(at_high | at_low, 0.0, command)


def beyond_limits(reading: JointReading, limits: Limits) -> np.ndarray:
    """Which joints are measured clearly outside their limits, booleans `(act_dim,)`.

    Clearly means by a twentieth of the joint's range, or by half of its speed limit. Sensors and
    soft stops overshoot a little.
    """
    width = limits.position_high - limits.position_low
    margin = 0.05 * np.where(np.isfinite(width), width, 0.0)
    return (
        (reading.position > limits.position_high + margin)
        | (reading.position < limits.position_low - margin)
        | (np.abs(reading.velocity) > 1.5 * limits.velocity)
    )
