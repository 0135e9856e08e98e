"""A square on the ground, walked by published velocities."""

from __future__ import annotations

import dataclasses
import sys
from typing import Any, Protocol

import numpy as np

from fb_ros.command import Result
from fb_ros.robot.rotation import upright

SQUARE = "square"
SIDE_M = 1.5
# A corner is reached within this distance; a side may take this long.
_NEAR_M, _PATIENCE_SECONDS = 0.25, 20.0
# One prompt a second, as from a person with a joystick.
_PROMPT_SECONDS = 1.0
_SPEED_MPS, _TURN_RADPS = 0.5, 0.9
_FALLEN_UP = 0.5


@dataclasses.dataclass(frozen=True, kw_only=True)
class Whereabouts:
    """A robot's pose on the ground, and its clock."""

    seconds: float
    """The robot's clock."""
    position: np.ndarray
    """Position on the ground, `(2,)`, m."""
    heading: float
    """Angle from the x axis, positive to the left, rad."""
    up: float
    """Vertical component of the body's vertical axis: 1 is level, 0 on its side."""

    @classmethod
    def of(cls, seconds: float, position: np.ndarray, orientation: np.ndarray) -> Whereabouts:
        """From the position `(3,)`, m, and the orientation `(4,)`, a unit quaternion, w first."""
        w, x, y, z = orientation
        return cls(
            seconds=seconds,
            position=position[:2],
            heading=float(np.arctan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))),
            up=upright(orientation),
        )


class Walker(Protocol):
    """Whoever walks: a robot behind topics, or one that is simulated here."""

    def whereabouts(self) -> Whereabouts:
        """Where it is now."""

    def wait_until(self, seconds: float) -> Whereabouts:
        """Where it is at or after `seconds` of its clock."""

    def ask_velocity(self, vx: float, vy: float, wz: float) -> None:
        """Asks it to keep a velocity (m/s, rad/s); raises what it is refused with."""


def walk_square(walker: Walker) -> Result:
    """Walks from corner to corner and then stands; `ok` says whether it did all of it upright."""
    start = walker.whereabouts()
    ahead = np.array([np.cos(start.heading), np.sin(start.heading)])
    left = np.array([-ahead[1], ahead[0]])
    corners = [start.position + SIDE_M * way for way in (ahead, ahead + left, left, 0.0 * ahead)]
    rows: list[dict[str, Any]] = []
    for number, corner in enumerate(corners, start=1):
        row = _walk_to(walker, corner)
        rows.append(row)
        print(_line(number, row), file=sys.stderr, flush=True)
        if row["fell"]:
            break
    _publish(walker, np.zeros(2))
    stood = walker.wait_until(walker.whereabouts().seconds + 2.0)
    return {
        "ok": len(rows) == len(corners)
        and all(row["reached"] for row in rows)
        and stood.up > _FALLEN_UP,
        "side_m": SIDE_M,
        "sides": rows,
        "final_error_m": float(np.linalg.norm(stood.position - start.position)),
    }


def _walk_to(walker: Walker, corner: np.ndarray) -> dict[str, Any]:
    begin = present = walker.whereabouts()
    prompts = 0
    while _distance(present, corner) > _NEAR_M and present.up > _FALLEN_UP:
        if present.seconds - begin.seconds > _PATIENCE_SECONDS:
            break
        _publish(walker, _towards(present, corner))
        prompts += 1
        until = present.seconds + _PROMPT_SECONDS
        while present.seconds < until and _distance(present, corner) > _NEAR_M:
            present = walker.wait_until(present.seconds + 0.1)
    return {
        "reached": _distance(present, corner) <= _NEAR_M,
        "fell": present.up <= _FALLEN_UP,
        "seconds": present.seconds - begin.seconds,
        "error_m": _distance(present, corner),
        "prompts": prompts,
    }


def _towards(present: Whereabouts, corner: np.ndarray) -> np.ndarray:
    """Forward speed and turn rate towards a corner; turns on the spot if the corner is behind."""
    way = corner - present.position
    off = np.arctan2(way[1], way[0]) - present.heading
    off = (off + np.pi) % (2 * np.pi) - np.pi
    speed = _SPEED_MPS * max(0.0, np.cos(off)) if abs(off) < 0.7 else 0.0
    return np.array([speed, np.clip(1.2 * off, -_TURN_RADPS, _TURN_RADPS)])


def _publish(walker: Walker, asked: np.ndarray) -> None:
    # Two digits, as a person would type.
    speed, turn = (round(float(value), 2) + 0.0 for value in asked)
    walker.ask_velocity(speed, 0.0, turn)


def _distance(present: Whereabouts, corner: np.ndarray) -> float:
    return float(np.linalg.norm(corner - present.position))


def show_square(result: Result) -> str:
    """The sides as a table."""
    lines = ["", "corner   time      off       prompts"]
    lines += [_line(number, row) for number, row in enumerate(result["sides"], start=1)]
    lines.append(f"stands {100.0 * result['final_error_m']:.0f} cm from where it started")
    return "\n".join(lines)


def _line(number: int, row: dict[str, Any]) -> str:
    end = "reached" if row["reached"] else "FELL" if row["fell"] else "MISSED"
    return (
        f"{number:<6} {row['seconds']:6.1f} s {100.0 * row['error_m']:6.0f} cm "
        f"{row['prompts']:8d}   {end}"
    )
