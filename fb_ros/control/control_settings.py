"""The controller's settings that a person may choose."""

from __future__ import annotations

import dataclasses
import math

from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True, kw_only=True)
class ControlSettings:
    """Time-outs after which the controller stops the robot, in seconds, and the smoothing."""

    observation_timeout: float = 0.0
    """Robot's time without a new observation until the robot is stopped; 0: three periods."""
    z_timeout: float = 1.0
    """Wall time without a z until the robot is stopped; 0: never."""
    inference_timeout: float = 0.0
    """Wall time after which an unanswered policy call is late, and the robot is stopped; 0: one
    period."""
    check_stamps: bool = True
    """Whether stamps come from this node's clock: if so, an observation older than the timeout is
    not acted on, however it arrived."""
    smoothing: float = 0.0
    """Time constant of a low-pass on the commands, in seconds; 0: none."""
    limit_timeout: float = 1.0
    """Time on the robot's clock for which a joint may be measured clearly beyond its limits before
    the robot is stopped until `resume`; 0: for ever."""
    intervention_timeout: float = 0.0
    """Time on the robot's clock for which the guards may change every command before the robot is
    stopped until `resume`; 0: for ever, since a policy may well press against a joint's limit."""

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if field.name == "check_stamps":
                continue
            if not math.isfinite(value) or not 0.0 <= value <= MAX_SECONDS:
                raise FbRosError(
                    f"{field.name} is {value:g}, expected 0 to {MAX_SECONDS:g} seconds"
                )


MAX_SECONDS = 3600.0
