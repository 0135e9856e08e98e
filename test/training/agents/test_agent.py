"""One update of each algorithm: what learns, what does not, and what is the same either way."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from fb_ros.errors import FbRosError
from sim.robots.point_mass import SPEC
from training.agents.agent import Agent
from training.agents.agent_config import ALGORITHMS, AgentConfig, Algorithm
from training.agents.divergence import divergence
from training.agents.recipes import Recipe, agent_config
from training.agents.sampler import Sampler
from training.data.data import Batch, Transitions
from training.data.flat_data import in_memory
from training.evaluation.reach_evaluation import best_action
from training.networks.encoding import sample_sphere
from training.networks.weights import read_weights, write_weights

SMALL = {"d": 16, "hidden": 32, "backward_hidden": 16, "batch": 32, "bfloat16": False}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """Networks this small only lose by more."""
    torch.set_num_threads(1)


def random_transitions(count: int = 500) -> Transitions:
    """Noise instead of episodes: what an update does to the networks needs no robot."""
    rng = np.random.default_rng(0)
    observation = rng.standard_normal((count, SPEC.obs_dim), dtype=np.float32)
    # As data have them: many actions at the ends.
    action = np.clip(1.5 * rng.standard_normal((count, SPEC.act_dim)), -1.0, 1.0)
    discount = (rng.uniform(size=count) < 0.9).astype(np.float32)
    return Transitions.of(in_memory(observation, action, observation, discount), SPEC)


def small_config(
    algorithm: Algorithm, recipe: Recipe = "textbook", **changes: object
) -> AgentConfig:
    blocks = 4 if algorithm in ("fb_ar", "fb_aware") else 1
    shape = {**SMALL, "blocks": blocks, "groups": 8 if blocks > 1 else 0, **changes}
    if recipe == "reaching":
        shape |= {"groups": 8, "negatives": 4, "box_share": 0.0, "features": ("tcp_pos",)}
    return agent_config(algorithm, recipe, **shape)


@pytest.mark.parametrize("recipe", ["textbook", "reaching"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_network_of_every_algorithm_learns(algorithm: Algorithm, recipe: Recipe) -> None:
    config = small_config(algorithm, recipe)
    torch.manual_seed(0)
    data = random_transitions()
    agent = Agent(config, SPEC, data)
    sampler = Sampler(config, SPEC, data, agent.networks)
    before = {name: value.clone() for name, value in agent.networks.named_parameters()}
    generator = torch.Generator().manual_seed(0)
    for _ in range(3):
        figures = agent.update(*sampler.sample(generator), generator)
        assert all(torch.isfinite(value) for value in figures.values())
    now = dict(agent.networks.named_parameters())
    still = {name for name, value in now.items() if torch.equal(value, before[name])}
    # One block reads no z.
    assert still == (set() if config.auto_regressive else {"backward_map.z_part.weight"})
    assert not divergence({k: float(v) for k, v in figures.items()}, config, 10.0)


@pytest.mark.parametrize("recipe", ["textbook", "reaching"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_at_the_end_the_policy_alone_learns(algorithm: Algorithm, recipe: Recipe) -> None:
    config = small_config(algorithm, recipe, policy_share=0.25, anneal=True)
    data = random_transitions()
    agent = Agent(config, SPEC, data)
    rate = config.learning_rate
    (group,) = agent.policy_optimizer.param_groups
    alone = [agent.begin(progress) for progress in (0.0, 0.74, 0.75, 1.0)]
    assert alone == [False, False, True, True]
    assert group["lr"] == 0.0
    assert agent.begin(0.875)
    assert group["lr"] == pytest.approx(0.5 * rate)
    sampler = Sampler(config, SPEC, data, agent.networks)
    generator = torch.Generator().manual_seed(0)
    batch, z = sampler.sample_singly(generator)
    assert z.shape == (config.batch, config.d)
    before = {name: value.clone() for name, value in agent.networks.named_parameters()}
    figures = agent.update_policy(batch, z, generator)
    assert all(torch.isfinite(value) for value in figures.values())
    now = dict(agent.networks.named_parameters())
    learnt = {name for name, value in now.items() if not torch.equal(value, before[name])}
    assert learnt == {name for name in now if name.startswith("policy.")}


def test_groups_of_plain_fb_only_say_which_rows_share_a_task() -> None:
    """`B(s)` is the same for every `z`, so that all pairs of the batch can be used."""
    data = random_transitions()
    generator = torch.Generator().manual_seed(0)
    batch = data.sample(32, generator)
    z = sample_sphere(4, (16,), generator)
    found = []
    for groups in (4, 32):
        torch.manual_seed(0)
        config = small_config("fb", groups=groups)
        agent = Agent(config, SPEC, data)
        tasks = z.repeat_interleave(groups // 4, dim=0)
        none = torch.empty(groups, 0, SPEC.feature_dim)
        found.append(agent.update(batch, none, tasks, torch.Generator().manual_seed(1)))
    for name, value in found[0].items():
        torch.testing.assert_close(value, found[1][name])


@pytest.mark.parametrize("weighting", ["wis", "iwis"])
def test_an_advantage_weighted_policy_takes_up_the_better_half_of_the_actions(
    weighting: str,
) -> None:
    """With `F` held so that `Q` prefers actions above zero, among data that hold both signs."""
    torch.manual_seed(0)
    config = small_config("fb_aw", weighting=weighting, learning_rate=1e-3, temperature=0.3)
    data = random_transitions()
    agent = Agent(config, SPEC, data)

    def rigged(observation: torch.Tensor, actions: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        return actions.sum(-1).expand(config.ensemble, *actions.shape[:2])

    agent.networks.q_of_actions = rigged  # type: ignore[method-assign]
    sampler = Sampler(config, SPEC, data, agent.networks)
    generator = torch.Generator().manual_seed(0)
    for _ in range(60):
        agent.update(*sampler.sample(generator), generator)
    z = sample_sphere(500, config.sizes, generator)
    with torch.no_grad():
        mean, scale = agent.networks.policy.mean_and_scale(
            data.observation_at(torch.arange(500)), z
        )
    assert float(mean.mean()) > 0.3
    assert torch.all((scale >= 0.05) & (scale <= 1.0))
    assert torch.all(mean.abs() <= 1.0)


def test_the_best_of_many_actions_is_the_best_by_q() -> None:
    torch.manual_seed(0)
    config = small_config("fb_aware")
    networks = Agent(config, SPEC, random_transitions()).networks
    generator = torch.Generator().manual_seed(0)
    observation, z = torch.randn(SPEC.obs_dim), sample_sphere(1, config.sizes, generator)[0]
    q = []
    with torch.no_grad():
        for samples in (1, 4, 256):
            action = best_action(networks, observation, z, samples, config, generator)
            assert torch.all(action.abs() <= 1.0)
            q.append(float(networks.q_of(observation[None], action[None], z[None]).mean()))
        mean = networks.policy(observation[None], z[None])[0]
        torch.testing.assert_close(
            best_action(networks, observation, z, 1, config, generator), mean
        )
    assert q[2] > q[0]
    assert q[2] >= q[1]


def test_q_of_several_actions_is_that_of_each() -> None:
    recipes: tuple[Recipe, ...] = ("textbook", "reaching")
    for recipe in recipes:
        config = small_config("fb_aware", recipe)
        networks = Agent(config, SPEC, random_transitions()).networks
        observation, z = torch.randn(5, SPEC.obs_dim), sample_sphere(5, config.sizes)
        actions = 2.0 * torch.rand(3, 5, SPEC.act_dim) - 1.0
        q = networks.q_of_actions(observation, actions, z)
        for index, action in enumerate(actions):
            torch.testing.assert_close(q[:, index], networks.q_of(observation, action, z))


def test_tasks_are_goals_mixtures_and_uniform_in_their_shares() -> None:
    config = small_config("fb", goal_share=0.25, mixture_share=0.25)
    torch.manual_seed(0)
    data = random_transitions()
    networks = Agent(config, SPEC, data).networks
    sampler = Sampler(config, SPEC, data, networks)
    z = sampler.sample_z(torch.Generator().manual_seed(0))
    assert z.shape == (32, 16)
    torch.testing.assert_close(z.norm(dim=-1), torch.full((32,), 4.0))
    with torch.no_grad():
        features = data.features_at(torch.arange(500))
        every = networks.backward_map(features, torch.zeros(500, 16))
    is_goal = ((z[:, None] - every).abs().amax(-1).min(-1).values < 1e-4).tolist()
    assert is_goal == [True] * 8 + [False] * 24


def test_the_step_size_falls_where_it_should_and_stays_where_not() -> None:
    for anneal, expected in ((True, 1.5e-4), (False, 3e-4)):
        agent = Agent(small_config("fb", anneal=anneal), SPEC, random_transitions())
        agent.begin(0.5)
        rates = [group["lr"] for group in agent.optimizer.param_groups]
        assert rates == pytest.approx([expected, expected])


def test_weights_of_other_sizes_are_refused(tmp_path: Path) -> None:
    data = random_transitions()
    config = small_config("fb")
    write_weights(Agent(config, SPEC, data).networks, tmp_path / "weights")
    Agent(config, SPEC, data).load(read_weights(tmp_path / "weights"), tmp_path)
    wider = dataclasses.replace(config, hidden=64)
    with pytest.raises(FbRosError, match="use the settings it was trained with"):
        Agent(wider, SPEC, data).load(read_weights(tmp_path / "weights"), tmp_path)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ({"f_norm": 1.0, "q_size": 1.0}, None),
        ({"f_norm": 1.0, "q_size": float("nan")}, "q_size is nan"),
        ({"f_norm": float("inf"), "q_size": 1.0}, "f_norm is inf"),
        # sqrt(16) / 0.02 = 200, and 16 / 0.02 = 800.
        ({"f_norm": 2001.0, "q_size": 1.0}, "the norm of F is 2e+03, and at most 200 is possible"),
        ({"f_norm": 1999.0, "q_size": 8001.0}, "the size of Q is 8e+03, and at most 800"),
    ],
)
def test_divergence_is_told_from_what_is_possible(
    figures: dict[str, float], expected: str | None
) -> None:
    found = divergence(figures, small_config("fb"), 10.0)
    assert (found or "").startswith(expected or "")
    assert bool(found) == bool(expected)


def test_ended_episodes_bootstrap_nothing_in_an_update() -> None:
    """What follows a terminal state does not matter."""
    data = random_transitions()
    generator = torch.Generator().manual_seed(0)
    batch = dataclasses.replace(data.sample(32, generator), discount=torch.zeros(32))
    other = dataclasses.replace(batch, next_observation=100.0 * batch.next_observation)
    found = []
    for rows in (batch, other):
        torch.manual_seed(0)
        agent = Agent(small_config("fb"), SPEC, data)
        found.append(_fb_loss(agent, rows))
    torch.testing.assert_close(found[0], found[1])


def _fb_loss(agent: Agent, batch: Batch) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    z = sample_sphere(32, (16,), generator)
    none = torch.empty(32, 0, SPEC.feature_dim)
    return agent.update(batch, none, z, generator)["fb_loss"]
