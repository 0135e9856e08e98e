"""The four algorithms as settings of one agent, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest

from fb_ros.errors import FbRosError
from sim.robots.jaco import SPEC
from training.agents.agent_config import ALGORITHMS, AgentConfig, Algorithm
from training.agents.recipes import Recipe, agent_config
from training.runs.train_config import default_of


@pytest.mark.parametrize("recipe", ["textbook", "reaching"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_an_algorithm_is_blocks_and_a_policy(algorithm: Algorithm, recipe: Recipe) -> None:
    config = agent_config(algorithm, recipe)
    assert config.auto_regressive == (config.blocks > 1) == (algorithm in ("fb_ar", "fb_aware"))
    assert config.advantage_weighted == (algorithm in ("fb_aw", "fb_aware"))
    assert config.forward == {"textbook": "direct", "reaching": "dynamics"}[recipe]
    assert sum(config.sizes) == config.d


def test_the_textbook_has_none_of_our_extras() -> None:
    for algorithm in ALGORITHMS:
        config = agent_config(algorithm)
        extras: tuple[str, ...] = ("successor_loss", "q_loss", "fourier", "action_penalty")
        extras += ("box_share",)
        extras += ("region_share", "reward_share", "rest_penalty")
        assert not any(getattr(config, name) for name in extras)
        assert config.average_rate == 1.0
        assert not config.anneal


def test_settings_survive_json() -> None:
    config = agent_config("fb_aware", d=10, block_sizes=(5, 3, 2), features=("tcp_pos",))
    assert AgentConfig.from_json(json.loads(json.dumps(dataclasses.asdict(config)))) == config


def test_the_command_line_starts_from_the_algorithm_that_it_names() -> None:
    for words in (["--agent.algorithm", "fb_aw"], ["--agent.algorithm=fb_aw", "--seed", "1"]):
        assert default_of(words).agent == agent_config("fb_aw")
    words = ["--recipe", "reaching", "--agent.algorithm", "fb"]
    assert default_of(words).agent == agent_config("fb", "reaching")
    assert default_of([]).agent == agent_config("fb_ar")


def test_block_sizes_say_how_many_blocks_there_are() -> None:
    config = agent_config("fb_ar", d=10, block_sizes=(5, 3, 2))
    assert (config.blocks, config.sizes) == (3, (5, 3, 2))


def test_without_features_b_reads_all_of_the_robots() -> None:
    names = tuple(field.name for field in SPEC.features)
    assert agent_config("fb").of_robot(SPEC).features == names
    with pytest.raises(FbRosError, match=f"no feature 'tcp'.*{names[0]}"):
        agent_config("fb", features=("tcp",)).of_robot(SPEC)


@pytest.mark.parametrize(
    ("algorithm", "changes", "message"),
    [
        ("fbar", {}, "possible: fb, fb_ar, fb_aw, fb_aware"),
        ("fb", {"hiden": 3}, "no setting 'hiden'; it has .*hidden"),
        ("fb_ar", {"d": 64, "block_sizes": (32, 31)}, "add up to 63.*d, 64"),
        ("fb_ar", {"d": 64, "block_sizes": (65, -1)}, "at least 1"),
        ("fb_ar", {"d": 64, "blocks": 5}, "multiple of blocks"),
        ("fb_ar", {"blocks": 1}, "more than one for algorithm fb_ar; fb takes"),
        ("fb", {"blocks": 2}, "one for algorithm fb; fb_ar takes"),
        ("fb_aw", {"block_sizes": (32, 32)}, "one for algorithm fb_aw; fb_aware takes"),
        ("fb_ar", {"groups": 0}, "groups is 0"),
        ("fb_ar", {"groups": 512}, "at most 256"),
        ("fb", {"groups": 100}, "multiple of groups"),
        ("fb", {"goal_share": 0.8, "mixture_share": 0.3}, "a sum up to 1"),
        ("fb", {"gamma": 1.0}, "gamma is 1.0"),
        ("fb_aw", {"temperature": 0.0}, "temperature is 0.0"),
        ("fb", {"negatives": 1}, "negatives is 1"),
        ("fb", {"target_rate": 0.0}, "target_rate is 0.0"),
    ],
)
def test_what_does_not_fit_is_named(
    algorithm: Algorithm, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(FbRosError, match=message):
        agent_config(algorithm, **changes)


@pytest.mark.parametrize("word", ["--agent.foo", "--agent.foo=3", "--agent.no-foo"])
def test_an_unknown_setting_is_refused_with_the_valid_ones(word: str) -> None:
    with pytest.raises(FbRosError, match="no setting 'foo'; it has algorithm, features, d"):
        default_of([word])


def test_settings_are_known_as_they_are_typed() -> None:
    words = ["--agent.block-sizes", "3", "--agent.no-bfloat16", "--agent.learning_rate=1"]
    assert default_of(words).agent == agent_config("fb_ar")


def test_the_parts_of_z_are_its_features() -> None:
    blocks: dict[str, Any] = {
        "features": ("a", "b", "c"),
        "feature_blocks": (8, 2, 1),
        "blocks": 11,
        "d": 176,
    }
    assert agent_config("fb_ar", **blocks).part_sizes == (128, 32, 16)
    assert agent_config("fb_ar", d=64).part_sizes == (64,)
