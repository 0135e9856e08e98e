"""The robot in the browser, and a ghost of it in the state that its task leads to."""

from __future__ import annotations

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.environment import Environment
from sim.web.body_meshes import body_meshes, floor_height
from sim.web.live_state import LiveState
from sim.web.page import Page
from sim.web.poses import Base, BodyPoses, base_in, joints_in

_ROBOT, _FIXED, _GHOST = "robot", "surroundings", "ghost"
# Direction and distance of the first camera, in units of the scene's size.
_VIEW = np.array([0.75, -1.05, 0.6])


class RobotView:
    """Draws the state from the topics, and follows a mobile robot."""

    def __init__(self, page: Page, environment: Environment, robot: RobotSpec) -> None:
        self._page, self._robot = page, robot
        self._poses = BodyPoses(environment)
        self._drawn = -1
        self._led: tuple[int | None, int] = (None, -1)
        model = environment.model
        self._mobile = environment.base_body is not None
        self._follow = self._mobile
        with page.together():
            page.add_bodies(_FIXED, body_meshes(model, fixed=True))
            page.add_bodies(_ROBOT, body_meshes(model, fixed=False))
            page.add_bodies(_GHOST, body_meshes(model, fixed=False), ghost=True)
            page.add_floor(floor_height(model), cell=0.5 if self._mobile else 0.1)
            poses = self._poses.of({})
            page.move(_FIXED, *poses)
            page.move(_ROBOT, *poses)
        self._ball = page.add_ball("lead", 0.5 * robot.goal_radius)
        page.look(*first_view(environment))

    def draw(self, live: LiveState) -> None:
        """Draws the newest state, unless it has been drawn already."""
        if live.count == self._drawn:
            return
        self._drawn = live.count
        base = live.base()
        with self._page.together():
            self._page.move(_ROBOT, *self._poses.of(live.joints(), base))
            if self._follow and base is not None:
                self._page.shift(np.array([-base.position[0], -base.position[1], 0.0]))

    def lead(self, bundle: Bundle, state: int | None, live: LiveState) -> None:
        """Shows the ghost in a reference state; if the task leaves the position on the ground
        open, the ghost stands where the robot is."""
        placed = self._robot.goal_feature in bundle.encoder_features
        key = (state, live.count if self._mobile else 0)
        if state is None or key == self._led:
            return
        self._led = key
        features = bundle.reference_features[state].astype(np.float64)
        observation = bundle.reference_observations[state].astype(np.float64)
        joints = joints_in(self._robot.features, features) | joints_in(
            self._robot.observation, observation
        )
        # Without its joints only the position is known.
        whole = not self._poses.missing(joints)
        base = live.base()
        with self._page.together():
            self._page.show(_GHOST, whole)
            self._ball.visible = not whole
            if not whole:
                point = layout_slices(self._robot.features)[self._robot.goal_feature]
                self._ball.position = features[point]
            elif self._mobile:
                now = base or Base(position=np.zeros(3), orientation=np.array([1.0, 0, 0, 0]))
                there = base_in(self._robot, features, now, placed=placed)
                self._page.move(_GHOST, *self._poses.of(joints, there))
            else:
                self._page.move(_GHOST, *self._poses.of(joints))


def first_view(environment: Environment) -> tuple[np.ndarray, np.ndarray]:
    """A camera position from which the robot and its whole reach are visible, and its target,
    m."""
    robot, model = environment.spec, environment.model
    positions, _ = BodyPoses(environment).of({})
    span = float(np.ptp(positions[model.body_weldid > 0], axis=0).max(initial=0.0))
    if environment.base_body is not None:
        return 2.0 * span * _VIEW, np.zeros(3)
    low, high = np.array(robot.goal_low), np.array(robot.goal_high)
    reach = max(span, 2.0 * float(np.max(high - low)))
    # The camera looks a little above the goals, where the arm is.
    at = 0.5 * (low + high) + [0.0, 0.0, 0.1 * reach]
    return at + reach * _VIEW, at
