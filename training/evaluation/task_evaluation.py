"""Returns of a forward-backward model on its robot's tasks, zero-shot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch

from fb_ros.task_inference.candidates import above, baseline
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf
from sim.tasks.reward_tasks import RewardTask, reward_tasks
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.data.data import Transitions
from training.evaluation.reach_evaluation import best_action
from training.networks.encoding import encode

# Number of data states from which a task's reward is encoded, as ExORL's users do.
_STATES = 10_000
_FILM_SECONDS = 10.0

ActionOf = Callable[[np.ndarray], np.ndarray]
"""From an observation to an action in `[-1, 1]`."""


class TaskEvaluation:
    """Encodes each task from rewarded states of the data and follows the encoding."""

    def __init__(
        self,
        config: AgentConfig,
        environment: Environment,
        data: Transitions,
        *,
        seed: int,
        tasks: Sequence[str] = (),
    ) -> None:
        """`seed` is the seed of the states and of the episodes' starts; no `tasks` means all."""
        self.tasks = reward_tasks(environment.spec.name, tasks)
        self._config, self._environment, self._seed = config, environment, seed
        self._samples = config.eval_samples if config.advantage_weighted else 1
        rows = data.draw(_STATES, torch.Generator().manual_seed(seed)) + 1
        self._features = data.features_at(rows)
        physics = data.physics_at(rows)
        self._weights = {
            task.name: _weights(task.rewards(environment, physics)) for task in self.tasks
        }

    @torch.no_grad()
    def returns(
        self, networks: Networks, episodes: int, *, title: str = ""
    ) -> dict[str, np.ndarray]:
        """The return of each episode of each task, `(episodes,)`."""
        generator = torch.Generator().manual_seed(self._seed)
        return {
            task.name: task_returns(
                self._environment,
                task,
                self._action_of(networks, task, generator),
                episodes=episodes,
                seed=self._seed,
            )
            for task in progress_bar(self.tasks, title=title, unit="task")
        }

    def __call__(self, networks: Networks, episodes: int) -> dict[str, float]:
        """The mean return of each task, and over all of them."""
        means = {
            name: float(values.mean()) for name, values in self.returns(networks, episodes).items()
        }
        by_task = {f"return_{name}": value for name, value in means.items()}
        return {"mean_return": float(np.mean(list(means.values()))), **by_task}

    @torch.no_grad()
    def film(self, networks: Networks, folder: Path, name: str, tasks: int) -> None:
        """Writes `NAME_TASK.gif`, the beginning of an episode, for the first tasks."""
        # Imported only here: without films no renderer is needed.
        from sim.picture import film

        environment = self._environment
        generator = torch.Generator().manual_seed(self._seed)
        steps = round(_FILM_SECONDS / environment.spec.ctrl_dt)
        for task in self.tasks[:tasks]:
            environment.reset(episode_rng(self._seed, 0))
            command_of = _commands(self._action_of(networks, task, generator))
            film(environment, command_of, folder / f"{name}_{task.name}.gif", steps=steps)

    def _action_of(
        self, networks: Networks, task: RewardTask, generator: torch.Generator
    ) -> ActionOf:
        z = self._encode(networks, task.name)

        def action_of(observation: np.ndarray) -> np.ndarray:
            seen = torch.from_numpy(observation).float()
            chosen = best_action(networks, seen, z, self._samples, self._config, generator)
            action: np.ndarray = chosen.double().numpy()
            return action

        return action_of

    def _encode(self, networks: Networks, task: str) -> torch.Tensor:
        features = self._features[:, networks.columns]
        asked = torch.ones(self._config.blocks)
        return encode(networks.backward_map, features, self._weights[task], asked).z


def _commands(action_of: ActionOf) -> CommandOf:
    def command_of(environment: Environment) -> np.ndarray:
        return environment.spec.command_from_action(action_of(environment.observation()))

    return command_of


def _weights(rewards: np.ndarray) -> torch.Tensor:
    """Weights of a reward in the encoding, as for a typed formula."""
    return torch.from_numpy(above(rewards, baseline(rewards))).float()


def task_returns(
    environment: Environment, task: RewardTask, action_of: ActionOf, *, episodes: int, seed: int
) -> np.ndarray:
    """The sum of rewards of each episode, `(episodes,)`; starts depend only on `seed`."""
    returns = np.empty(episodes)
    for episode in range(episodes):
        environment.reset(episode_rng(seed, episode))
        states = np.empty((task.steps, environment.physics_size))
        for state in states:
            action = action_of(environment.observation())
            environment.step(environment.spec.command_from_action(action))
            state[:] = environment.physics_state()
        returns[episode] = task.rewards(environment, states).sum()
    return returns
