"""How well an agent in training reaches goals that its training did not name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fb_ros.robot.field import layout_slices
from fb_ros.robot.robot_spec import RobotSpec
from fb_ros.task_inference.asked_blocks import goal_blocks
from sim.robots.environment import Environment
from sim.tasks.episode_seed import episode_rng
from sim.tasks.follow import CommandOf
from sim.tasks.score import reach_figures
from sim.tasks.tasks import EPISODE_SECONDS, REACH, make_task
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.data.data import Transitions
from training.evaluation.bundle_evaluation import reach_distances
from training.networks import truncated_normal
from training.networks.encoding import encode

_SAMPLE = 10_000


class ReachEvaluation:
    """Zero-shot reaching: each goal is encoded, and the policy follows the encoding."""

    def __init__(
        self, config: AgentConfig, environment: Environment, data: Transitions, *, seed: int
    ) -> None:
        """`seed` is the seed of starts and goals, and of the sample of states."""
        self._config, self._environment, self._seed = config, environment, seed
        self._task = make_task(REACH, environment.spec)
        generator = torch.Generator().manual_seed(seed)
        self._states = data.sample_features(_SAMPLE, generator)

    @torch.no_grad()
    def __call__(self, networks: Networks, goals: int) -> dict[str, float]:
        """Success, mean return and median error over this many goals."""
        distances = reach_distances(
            self._environment,
            self._task,
            self._controller_for(networks),
            episodes=goals,
            seed=self._seed,
        )
        figures: dict[str, Any] = reach_figures(self._task, distances)
        return {name: figures[name] for name in ("success", "mean_return", "median_final_error_m")}

    @torch.no_grad()
    def film(self, networks: Networks, folder: Path, name: str, goals: int) -> None:
        """Writes `NAME_goal_I.gif` for the episodes of the first goals."""
        # Imported only here: without films no renderer is needed.
        from sim.picture import film

        environment = self._environment
        steps = round(EPISODE_SECONDS / environment.spec.ctrl_dt)
        for index in range(goals):
            environment.reset(episode_rng(self._seed, index))
            goal = self._task.goal(self._seed, index)
            command_of = self._controller_for(networks)(goal)
            path = folder / f"{name}_goal_{index}.gif"
            film(environment, command_of, path, steps=steps, goal=goal)

    def _controller_for(self, networks: Networks) -> Callable[[np.ndarray], CommandOf]:
        spec, config = self._environment.spec, self._config
        generator = torch.Generator().manual_seed(self._seed)
        samples = config.eval_samples if config.advantage_weighted else 1

        def controller_for(goal: np.ndarray) -> CommandOf:
            z = encode_goal(networks, config, spec, self._states, torch.from_numpy(goal).float())

            def command_of(environment: Environment) -> np.ndarray:
                observation = torch.from_numpy(environment.observation()).float()
                action = best_action(networks, observation, z, samples, config, generator)
                return spec.command_from_action(action.double().numpy())

            return command_of

        return controller_for


def encode_goal(
    networks: Networks,
    config: AgentConfig,
    spec: RobotSpec,
    states: torch.Tensor,
    goal: torch.Tensor,
) -> torch.Tensor:
    """`z` of a point of the goal feature, `(d,)`, as the robot's own task inference computes it.

    If blocks read only the goal feature, `z` encodes the goal itself. Otherwise it encodes the
    nearest of `states` `(n, feature_dim)` with the goal put in; these supply the features that the
    goal leaves open.
    """
    column = layout_slices(spec.features)[spec.goal_feature]
    asked, count = goal_blocks(config.block_features, (spec.goal_feature,))
    distances = (states[:, column] - goal).norm(dim=-1)
    around = states[distances.argsort()[:count]].clone()
    around[:, column] = goal
    features, weights = around[:, networks.columns], torch.ones(len(around))
    return encode(networks.backward_map, features, weights, torch.from_numpy(asked)).z


def best_action(
    networks: Networks,
    observation: torch.Tensor,
    z: torch.Tensor,
    samples: int,
    config: AgentConfig,
    generator: torch.Generator,
) -> torch.Tensor:
    """The policy's mean, or the best of several of its actions by `F^T z`, `(act_dim,)`.

    This is evaluation-based sampling; `observation` is `(obs_dim,)` and `z` `(d,)`.
    """
    mean, scale = networks.policy.mean_and_scale(observation[None], z[None])
    if samples == 1:
        return mean[0]
    uniform = torch.rand(samples, mean.shape[-1], generator=generator)
    candidates = truncated_normal.sample(mean, scale, uniform)
    q = networks.q_of(observation.expand(samples, -1), candidates, z.expand(samples, -1)).mean(0)
    return candidates[q.argmax()]
