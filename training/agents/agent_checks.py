"""Checks of an agent's settings; each refusal states the value and what was expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fb_ros.errors import FbRosError

if TYPE_CHECKING:
    from training.agents.agent_config import AgentConfig


def require_numbers(config: AgentConfig) -> None:
    """Refuses numbers outside their range."""
    for name in (
        *("d", "blocks", "hidden", "backward_hidden", "ensemble", "batch"),
        *("value_samples", "eval_samples", "mixture_states", "reward_states"),
        *("window_steps", "future_span"),
    ):
        if getattr(config, name) < 1:
            raise FbRosError(f"{name} is {getattr(config, name)}, expected at least 1")
    for name in (
        *("groups", "fourier", "ortho", "fb_loss", "successor_loss", "q_loss"),
        *("action_penalty", "rest_penalty", "steady"),
    ):
        if getattr(config, name) < 0:
            raise FbRosError(f"{name} is {getattr(config, name)}, expected at least 0")
    if config.negatives < 0 or config.negatives == 1:
        raise FbRosError(f"negatives is {config.negatives}, expected 0 or at least 2")
    for name in ("learning_rate", "backward_learning_rate", "temperature"):
        if not getattr(config, name) > 0.0:
            raise FbRosError(f"{name} is {getattr(config, name)}, expected above 0")
    for name in ("target_rate", "average_rate"):
        if not 0.0 < getattr(config, name) <= 1.0:
            raise FbRosError(f"{name} is {getattr(config, name)}, expected above 0, up to 1")
    names = ("goal_share", "region_share", "reward_share", "mixture_share", "future_share")
    shares = tuple(getattr(config, name) for name in names)
    if min(shares) < 0.0 or sum(shares) > 1.0 + 1e-9:
        raise FbRosError(
            f"{', '.join(names[:-1])} and {names[-1]} are {shares}, expected a sum up to 1"
        )
    for name in ("rare_share", "far_share", "box_share", "policy_share"):
        if not 0.0 <= getattr(config, name) <= 1.0:
            raise FbRosError(f"{name} is {getattr(config, name)}, expected 0 to 1")
    low, high = config.future_steps
    if not 1 <= low <= high:
        raise FbRosError(f"future_steps is {config.future_steps}, expected two rising numbers")
    if config.far_share and config.far_steps < high:
        raise FbRosError(
            f"far_steps is {config.far_steps}, expected at least the last of future_steps, {high}"
        )
    if not 0.0 < config.gamma < 1.0:
        raise FbRosError(f"gamma is {config.gamma}, expected above 0 and below 1")


def require_blocks(config: AgentConfig) -> None:
    """Refuses blocks that do not fit each other, the algorithm or the features."""
    if config.block_sizes and (min(config.block_sizes) < 1 or sum(config.block_sizes) != config.d):
        raise FbRosError(
            f"block_sizes {config.block_sizes} add up to {sum(config.block_sizes)}, expected "
            f"lengths of at least 1 that add up to d, {config.d}"
        )
    if not config.block_sizes and config.d % config.blocks:
        raise FbRosError(
            f"d is {config.d}, expected a multiple of blocks ({config.blocks}); block_sizes takes "
            "unequal ones"
        )
    if config.auto_regressive != (config.blocks > 1):
        other = {"fb": "fb_ar", "fb_ar": "fb", "fb_aw": "fb_aware", "fb_aware": "fb_aw"}
        expected = "more than one" if config.auto_regressive else "one"
        raise FbRosError(
            f"blocks is {config.blocks}, expected {expected} for algorithm {config.algorithm}; "
            f"{other[config.algorithm]} takes as many"
        )
    if config.feature_blocks and (
        len(config.feature_blocks) != len(config.features)
        or sum(config.feature_blocks) != config.blocks
        or min(config.feature_blocks) < 1
    ):
        raise FbRosError(
            f"feature_blocks is {config.feature_blocks}, expected a number for each of "
            f"{config.features}, {config.blocks} in all"
        )
    if config.open_shares and (
        len(config.open_shares) != len(config.feature_blocks)
        or not all(0.0 <= share <= 1.0 for share in config.open_shares)
    ):
        raise FbRosError(
            f"open_shares is {config.open_shares}, expected a share for each of the "
            f"{len(config.feature_blocks)} features with blocks of their own"
        )


def require_groups(config: AgentConfig) -> None:
    """Refuses groups that leave a transition without independent states."""
    if config.groups and config.batch % config.groups:
        raise FbRosError(
            f"batch is {config.batch}, expected a multiple of groups ({config.groups})"
        )
    if config.batch < 2:
        raise FbRosError(f"batch is {config.batch}, expected at least 2")
    if config.auto_regressive and not config.groups:
        raise FbRosError(
            f"groups is 0, expected at least 1 for algorithm {config.algorithm}: B reads z, so "
            "that transitions have to share one"
        )
    if config.auto_regressive and not config.negatives and config.batch // config.groups < 2:
        raise FbRosError(
            f"groups is {config.groups}, expected at most {config.batch // 2}: with no negatives, "
            "the transitions of a group are each other's independent states"
        )
