"""Recovering the features of a robot's state from its observation."""

from __future__ import annotations

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import Field, layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.robot.robot_state import RobotState

# Accuracy of an angle read from its sine and cosine.
_DECODABLE = ("identity", "sin_cos")


def features_from_observation(spec: RobotSpec, observation: np.ndarray) -> np.ndarray:
    """The features `(n, feature_dim)` of observations `(n, obs_dim)` in the robot's layout.

    An angle that is observed only by its sine and cosine lies in -pi to pi. Refuses a feature that
    the observation does not contain.
    """
    slices = layout_slices(spec.observation)
    columns = []
    for feature in spec.features:
        same = [
            field
            for field in spec.observation
            if (field.source, field.encoding, field.joints)
            == (feature.source, feature.encoding, feature.joints)
        ]
        if same:
            columns.append(observation[:, slices[same[0].name]])
        else:
            columns.append(feature.encode(_state_for(spec, feature, observation)))
    return np.concatenate(columns, axis=1)


def _state_for(spec: RobotSpec, feature: Field, observation: np.ndarray) -> RobotState:
    """The part of the state that `feature` reads."""
    slices = layout_slices(spec.observation)
    for field in spec.observation:
        enough = field.source == feature.source and set(feature.joints) <= set(field.joints)
        if enough and field.encoding in _DECODABLE:
            values = observation[:, slices[field.name]]
            if field.encoding == "sin_cos":
                sine, cosine = np.split(values, 2, axis=1)
                values = np.arctan2(sine, cosine)
            nothing = np.zeros((len(observation), len(field.joints)))
            known: dict[str, np.ndarray] = {
                "joint_position": nothing,
                "joint_velocity": nothing,
                field.source: values,
            }
            return RobotState(joint_names=field.joints, **known)
    raise FbRosError(
        f"feature {feature.name} of robot {spec.name} can be computed neither from the "
        "observation nor from stored physics; store it as `features`"
    )
