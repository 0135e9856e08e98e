"""Checks of user settings; each refuses in one line that names the value."""

from __future__ import annotations

from fb_ros.errors import FbRosError

_SLOWEST, _FASTEST = 1e-3, 1e3
_MOST_EPISODES = 100_000


def require_factor(factor: float) -> None:
    """Refuses a real-time factor at which no timer could run."""
    if not _SLOWEST <= factor <= _FASTEST:
        raise FbRosError(f"real_time_factor is {factor:g}, expected {_SLOWEST:g} to {_FASTEST:g}")


def require_seed(seed: int) -> None:
    """Refuses a negative seed."""
    if seed < 0:
        raise FbRosError(f"seed is {seed}, expected 0 or more")


def require_episodes(goals: int) -> None:
    """Refuses zero episodes, and more than fit into memory."""
    if not 1 <= goals <= _MOST_EPISODES:
        raise FbRosError(f"goals is {goals}, expected at least 1 and at most {_MOST_EPISODES}")
