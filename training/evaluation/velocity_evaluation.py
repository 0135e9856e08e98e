"""How well an agent in training keeps commanded velocities."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from fb_ros.robot.field import layout_slices
from fb_ros.task_inference.velocity_weights import kept_state, velocity_weights
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf
from sim.tasks.tasks import EPISODE_SECONDS
from sim.tasks.velocity_task import (
    ControllerFor,
    asked_velocity,
    keep_velocities,
    require_velocity,
    velocity_figures,
)
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.data.data import Transitions
from training.evaluation.reach_evaluation import best_action
from training.networks.encoding import encode

# Number of data states among which those with a velocity are looked for.
_STATES = 10_000


class VelocityEvaluation:
    """Encodes the state that the robot holds while it keeps a velocity, as a published velocity is
    encoded, and follows the encoding, from standing."""

    def __init__(
        self, config: AgentConfig, environment: Environment, data: Transitions, *, seed: int
    ) -> None:
        """`seed` is the seed of the states, of the starts and of the velocities."""
        require_velocity(environment.spec)
        self._config, self._environment, self._seed = config, environment, seed
        self._samples = config.eval_samples if config.advantage_weighted else 1
        generator = torch.Generator().manual_seed(seed)
        self._states = data.sample_features(_STATES, generator)

    @torch.no_grad()
    def __call__(self, networks: Networks, episodes: int) -> dict[str, float]:
        """Figures over this many commands."""
        kept = keep_velocities(
            self._environment, self._controller_for(networks), episodes=episodes, seed=self._seed
        )
        return {name: float(value) for name, value in velocity_figures(list(kept)).items()}

    @torch.no_grad()
    def film(self, networks: Networks, folder: Path, name: str, episodes: int) -> None:
        """Writes `NAME_velocity_I.gif` for the episodes of the first commands."""
        # Imported only here: without films no renderer is needed.
        from sim.picture import film

        environment = self._environment
        steps = round(EPISODE_SECONDS / environment.spec.ctrl_dt)
        for index in range(episodes):
            environment.reset(episode_rng(self._seed, index))
            command_of = self._controller_for(networks)(asked_velocity(self._seed, index))
            film(environment, command_of, folder / f"{name}_velocity_{index}.gif", steps=steps)

    def _controller_for(self, networks: Networks) -> ControllerFor:
        spec, config = self._environment.spec, self._config
        generator = torch.Generator().manual_seed(self._seed)
        states = self._states.double().numpy()
        every = np.arange(spec.feature_dim)
        columns = {name: every[part] for name, part in layout_slices(spec.features).items()}

        def controller_for(asked: np.ndarray) -> CommandOf:
            velocity = np.array([asked[0], asked[1], 0.0, 0.0, 0.0, asked[2]])
            near = velocity_weights(spec, states, velocity)
            state = kept_state(spec, states, states, columns, velocity, near)
            read = torch.from_numpy(state).float()[None, networks.columns]
            z = encode(networks.backward_map, read, torch.ones(1), torch.ones(config.blocks)).z

            def command_of(environment: Environment) -> np.ndarray:
                observation = torch.from_numpy(environment.observation()).float()
                action = best_action(networks, observation, z, self._samples, config, generator)
                return spec.command_from_action(action.double().numpy())

            return command_of

        return controller_for
