"""A controller that knows the arm: a yardstick for a learned policy."""

from __future__ import annotations

import numpy as np

from sim.robots.environment import Environment

# Proportional gain in 1/s and damping in m, the usual compromise between speed and singularities.
_GAIN, _DAMPING = 5.0, 0.05


def resolved_rate_command(environment: Environment, goal: np.ndarray) -> np.ndarray:
    """Joint velocities that move the tool centre point straight to `goal` (m, world frame).

    Damped least squares on the Jacobian of the commanded joints, `(3, act_dim)`, scaled as a
    whole to the joints' limits (Whitney 1969; Nakamura and Hanafusa 1986).
    """
    state = environment.robot_state()
    assert state.tcp_position is not None
    jacobian = environment.tcp_jacobian()
    velocity = _GAIN * (goal - state.tcp_position)
    damped = jacobian @ jacobian.T + _DAMPING**2 * np.eye(3)
    command = jacobian.T @ np.linalg.solve(damped, velocity)
    excess = np.max(np.abs(command) / np.asarray(environment.spec.action_high))
    return command / max(1.0, excess)
