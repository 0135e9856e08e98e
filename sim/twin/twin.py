"""Trying encodings in a simulation of the robot, from the robot's present state."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from fb_ros.backends.graphs import IMAGINE
from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.policy import Policy
from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from fb_ros.robot.robot_state import RobotState
from fb_ros.task_inference.choice import on_the_way, restlessness
from fb_ros.task_inference.known_states import KnownStates
from fb_ros.task_inference.objective import Objective
from fb_ros.task_inference.trial import Trial
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from sim.twin.from_sensors import physics_from_sensors

# Time at which each stage ends (s), and the number of proposals in it: all first, then fewer.
_STAGES = ((2.4, 16), (5.2, 6), (10.0, 3))
# Only the last part of a stage counts: by then the robot should be where it was asked to be.
_LAST = 0.4
_TIE = 0.2
# Arms run with physics steps longer by this factor: that takes half the time and moves the hand by
# a millimetre. Feet on the ground need short steps.
_COARSER = 2
_MOST = _STAGES[0][1]


class Twin:
    """A robot's model, in as many copies as there are encodings to try."""

    def __init__(self, bundle: Bundle, environment: Environment | None = None) -> None:
        """`environment` must not be stepped elsewhere; without one, the twin makes its own."""
        self._bundle, self._robot = bundle, bundle.robot
        own = environment or make_environment(bundle.robot.name)
        if own.spec != bundle.robot:
            raise FbRosError(
                f"{bundle.path} was made for another description of robot {bundle.robot.name}"
            )
        if own.confined:
            own.model.opt.timestep *= _COARSER
        self._copies = [own.copy() for _ in range(_MOST)]
        # The policy runs one observation at a time, or all at once if the model has the graph for
        # it.
        self._policy = None if bundle.imagines else Policy(bundle)
        self._all = bundle.load_graph(IMAGINE, "onnxruntime") if bundle.imagines else None
        self._known = KnownStates(bundle)
        # The physics releases Python's lock.
        self._threads = ThreadPoolExecutor(2)

    def try_out(self, state: RobotState, objective: Objective, proposals: np.ndarray) -> Trial:
        """Tries `proposals` `(m, z_dim)` from `state`; also gives the reward that the first one
        earns.

        The earliest proposal wins a tie. Refuses a state that the simulation cannot be set to.
        """
        started = time.perf_counter()
        proposals = proposals[:_MOST].astype(np.float32)
        physics = physics_from_sensors(self._copies[0], state)
        copies, earned = self._copies[: len(proposals)], np.empty(len(proposals))
        for copy in copies:
            copy.set_physics_state(physics)
        kept = np.arange(len(proposals))
        done = 0
        for seconds, count in _STAGES:
            kept = kept[:count]
            until = round(seconds / self._robot.ctrl_dt)
            features = self._run([copies[i] for i in kept], proposals[kept], until - done)
            done = until
            last = features[-min(len(features), round(_LAST * until)) :]
            rewards = objective(last)
            values = -restlessness(self._known, last, self._robot.ctrl_dt)
            if count == _STAGES[-1][1]:
                # Among proposals that earn as much, the one that rests wins.
                values = _worth(objective, rewards) + _TIE * values
            else:
                values += on_the_way(self._known, objective, last)
            earned[kept] = rewards.mean(axis=0)
            kept = kept[np.argsort(-values, kind="stable")]
        best = float(earned[kept[0]])
        return Trial(
            best=int(kept[0]),
            earned=best * objective.unit,
            # The first proposal's reward, as far as it was tried.
            first_earned=float(earned[0]) * objective.unit,
            share=float(objective.share(np.asarray(best))),
            tried=len(proposals),
            seconds=time.perf_counter() - started,
        )

    def _run(self, copies: list[Environment], z: np.ndarray, steps: int) -> np.ndarray:
        """The features of each copy after each step, `(steps, copies, feature_dim)`."""
        features = np.empty((steps, len(copies), self._robot.feature_dim))
        states = [copy.robot_state() for copy in copies]
        for row in features:
            observations = np.stack([assemble(self._robot.observation, s) for s in states])
            commands = self._robot.command_from_action(self._actions(observations, z))
            states = list(self._threads.map(_step, copies, commands))
            row[:] = [assemble(self._robot.features, state) for state in states]
        return features

    def _actions(self, observations: np.ndarray, z: np.ndarray) -> np.ndarray:
        """Actions in `[-1, 1]`, `(m, act_dim)`, float64."""
        if self._all is not None:
            return self._all.run({"observation": observations, "z": z})[0].astype(np.float64)
        assert self._policy is not None
        rows = zip(observations, z, strict=True)
        return np.stack([self._policy.action(o, own) for o, own in rows]).astype(np.float64)


def _step(copy: Environment, command: np.ndarray) -> RobotState:
    copy.step(command)
    return copy.robot_state()


def _worth(objective: Objective, rewards: np.ndarray) -> np.ndarray:
    """Worth of rewards `(steps, n)`, `(n,)`; it hardly rises beyond the best reward in the
    data."""
    share = objective.share(rewards)
    found: np.ndarray = np.minimum(share, 1.0 + 0.02 * np.maximum(share - 1.0, 0.0)).mean(axis=0)
    return found
