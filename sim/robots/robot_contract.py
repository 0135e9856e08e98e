"""The contract of a simulated robot, as tests that anybody can run on a robot of their own.

class TestMine(RobotContract):
@pytest.fixture
def environment(self) -> Environment:
return MyRobot()
"""

from __future__ import annotations

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.robot.field import assemble
from sim.robots.environment import Environment


class RobotContract:
    """A mixin for pytest; the class that uses it has the fixture `environment`."""

    def test_read_outs_have_the_described_lengths(self, environment: Environment) -> None:
        """Checks the observation and the features."""
        environment.reset(rng(0))
        assert environment.observation().shape == (environment.spec.obs_dim,)
        assert environment.features().shape == (environment.spec.feature_dim,)

    def test_the_observation_comes_from_the_sensors_alone(self, environment: Environment) -> None:
        """Lets `policy_node` build the observation from topics."""
        environment.reset(rng(0))
        expected = assemble(environment.spec.observation, environment.robot_state())
        np.testing.assert_array_equal(environment.observation(), expected)

    def test_the_same_seed_and_commands_give_the_same_trajectory(
        self, environment: Environment
    ) -> None:
        """Checks equality to the last bit."""
        runs = []
        for _ in range(2):
            environment.reset(rng(3))
            states = [environment.physics_state()]
            for command in commands(environment, 20):
                environment.step(command)
                states.append(environment.physics_state())
            runs.append(np.stack(states))
        np.testing.assert_array_equal(runs[0], runs[1])

    def test_episodes_differ(self, environment: Environment) -> None:
        """Checks that the initial state depends on the generator given to `reset`."""
        environment.reset(rng(1))
        first = environment.physics_state()
        environment.reset(rng(2))
        assert np.any(first != environment.physics_state())

    def test_features_can_be_computed_from_the_stored_physics_state(
        self, environment: Environment
    ) -> None:
        """Lets rewards be computed for recorded data."""
        environment.reset(rng(0))
        for command in commands(environment, 10):
            environment.step(command)
        features, stored = environment.features(), environment.physics_state()
        environment.reset(rng(1))
        environment.set_physics_state(stored)
        np.testing.assert_allclose(environment.features(), features, atol=1e-9)

    def test_a_physics_state_of_another_robot_is_refused(self, environment: Environment) -> None:
        """Checks that the refusal names this robot."""
        refusal = "nothing was refused"
        try:
            environment.set_physics_state(np.zeros(3))
        except FbRosError as error:
            refusal = str(error)
        assert environment.spec.name in refusal

    def test_a_step_takes_one_control_period(self, environment: Environment) -> None:
        """Checks that it takes `ctrl_dt` seconds of simulated time."""
        environment.reset(rng(0))
        before = environment.time
        environment.step(np.zeros(environment.spec.act_dim))
        np.testing.assert_allclose(environment.time - before, environment.spec.ctrl_dt)


def rng(episode: int) -> np.random.RandomState:
    """The generator of an episode's initial state."""
    return np.random.RandomState(episode)


def commands(environment: Environment, steps: int) -> np.ndarray:
    """Random commands over the whole range, `(steps, act_dim)`, in physical units."""
    actions = np.random.default_rng(0).uniform(-1, 1, size=(steps, environment.spec.act_dim))
    return environment.spec.command_from_action(actions)
