"""Settings of the controller."""

from __future__ import annotations

import dataclasses
import math

from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True, kw_only=True)
class ControlSettings:
    """Times after which the controller stops, in seconds, and how it smooths."""

    observation_timeout: float = 0.0
    """Robot's time without a new observation until the robot is stopped; 0: three periods."""
    z_timeout: float = 1.0
    """Wall time without a z until the robot is stopped; 0: never."""
    inference_timeout: float = 0.0
    """Wall time after which a policy that has not answered is late, and the robot is stopped; 0:
    one period."""
    check_stamps: bool = True
    """Whether stamps are of this node's clock: then an observation older than the timeout is not
    acted on, however it arrived."""
    smoothing: float = 0.0
    """Time constant of a low-pass on the commands, in seconds; 0: none."""
    limit_timeout: float = 1.0
    """Robot's time for which a joint may be measured clearly beyond its limits before the robot is
    stopped until `resume`; 0: for ever."""
    intervention_timeout: float = 0.0
    """Robot's time for which the guards may change every command before the robot is stopped until
    `resume`; 0: for ever, since a policy may well press against a joint's limit."""

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
