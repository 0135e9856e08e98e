"""Configuration of the forward-backward agent."""

from __future__ import annotations

import dataclasses
from typing import Literal

from fb_ros.errors import FbRosError


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """Sizes, losses and optimisation of the forward-backward agent.

    `blocks` of 1 is plain FB; more make `B` auto-regressive (FB-AR).
    """

    features: tuple[str, ...] = ("tcp_pos",)
    """Task features that `B` reads."""
    feature_blocks: tuple[int, ...] = ()
    """How many of the blocks read each of `features`, and nothing else; none: all blocks read all
    features. Blocks of their own let a task leave a feature open: its part of `z` is zero."""
    open_shares: tuple[float, ...] = ()
    """Share of the training's `z` that leave each of `features` open; none: always all asked."""
    d: int = 128
    """Length of `z`, of `F` and of `B`."""
    blocks: int = 8
    """Auto-regressive blocks of `B`, of equal length."""
    gamma: float = 0.95
    """Discount."""
    hidden: int = 384
    """Width of `F` and of the policy."""
    backward_hidden: int = 64
    """Width of each block of `B`."""
    fourier: int = 32
    """Random Fourier features of the inputs of `B`; 0 for none."""
    fourier_scale: float = 1.5
    """Standard deviation of their frequencies, in radians per standard deviation of a feature."""
    ensemble: int = 2
    """Number of parallel `F` networks."""
    batch: int = 1024
    """Transitions in an update."""
    groups: int = 32
    """Encodings `z` in an update, each shared by `batch / groups` transitions."""
    negatives: int = 32
    """Independent states `s''` for each group."""
    learning_rate: float = 1e-3
    """Adam's step size for `F` and the policy."""
    backward_learning_rate: float = 1e-3
    """Adam's step size for `B`."""
    average_rate: float = 0.002
    """Share of the online weights that enters the averaged ones in an update; these are what is
    evaluated and exported."""
    target_rate: float = 0.02
    """Share of the online weights that enters the target networks in an update."""
    pessimism: float = 0.0
    """Standard deviations of the ensemble subtracted in the targets; 1 of two is the smaller."""
    actor_pessimism: float = 0.5
    """The same in the policy's objective."""
    ortho: float = 1.0
    """Weight of the orthonormality of `B`."""
    fb_loss: float = 0.1
    """Weight of the Bellman error of the successor measure, from which `B` learns."""
    successor_loss: float = 1.0
    """Weight of the Bellman error of `F` as the successor features of `B`."""
    q_loss: float = 10.0
    """Weight of the Bellman error of `F^T z`, the one projection that the policy reads."""
    bfloat16: bool = True
    """Compute the hidden layers in bfloat16, with weights and outputs in float32."""
    action_penalty: float = 0.02
    """Price of an action's mean square, as a share of `Q`: joints that do not matter for the task
    rest, and do not carry the robot away from the data."""
    noise: float = 0.2
    """Standard deviation of the smoothing noise on the policy's actions in training."""
    noise_clip: float = 0.3
    """Bound of that noise."""
    goal_share: float = 0.75
    """Share of the `z` that encode single states of the data."""
    box_share: float = 0.5
    """Share of these states, and of the independent states `s''`, that are drawn evenly over the
    robot's goal box, cell by cell, so that its corners are as frequent as its middle. `B` resolves
    most where the `s''` are frequent: with the data as they are, the reward of a goal in a rarely
    visited corner hardly falls off around it."""
    box_margin: float = 0.1
    """How much wider on every side this box is, in the unit of the goal feature: the reward of a
    goal at the edge has to fall off outwards, too."""
    region_share: float = 0.0
    """Share of the `z` that encode being on one side of a random plane; the rest is uniform."""

    def __post_init__(self) -> None:
        for name in ("d", "blocks", "hidden", "backward_hidden", "ensemble", "batch", "groups"):
            if getattr(self, name) < 1:
                raise FbRosError(f"{name} is {getattr(self, name)}, expected at least 1")
        if self.negatives < 2:
            raise FbRosError(f"negatives is {self.negatives}, expected at least 2")
        shares = (self.goal_share, self.region_share)
        if min(shares) < 0.0 or sum(shares) > 1.0:
            raise FbRosError(f"goal_share and region_share are {shares}, expected a sum up to 1")
        if not 0.0 <= self.box_share <= 1.0:
            raise FbRosError(f"box_share is {self.box_share}, expected 0 to 1")
        if not self.features:
            raise FbRosError("features is empty, expected what B is to read")
        if self.d % self.blocks:
            raise FbRosError(f"d is {self.d}, expected a multiple of blocks ({self.blocks})")
        if self.feature_blocks and (
            len(self.feature_blocks) != len(self.features)
            or sum(self.feature_blocks) != self.blocks
            or min(self.feature_blocks) < 1
        ):
            raise FbRosError(
                f"feature_blocks is {self.feature_blocks}, expected a number for each of "
                f"{self.features}, {self.blocks} in all"
            )
        if self.open_shares and (
            len(self.open_shares) != len(self.feature_blocks)
            or not all(0.0 <= share <= 1.0 for share in self.open_shares)
        ):
            raise FbRosError(
                f"open_shares is {self.open_shares}, expected a share for each of the "
                f"{len(self.feature_blocks)} features with blocks of their own"
            )
        if self.batch % self.groups:
            raise FbRosError(
                f"batch is {self.batch}, expected a multiple of groups ({self.groups})"
            )
        if not 0.0 < self.gamma < 1.0:
            raise FbRosError(f"gamma is {self.gamma}, expected above 0 and below 1")

    @property
    def block_features(self) -> tuple[tuple[str, ...], ...]:
        """The features that each block reads."""
        if not self.feature_blocks:
            return (self.features,) * self.blocks
        return tuple(
            (feature,)
            for feature, count in zip(self.features, self.feature_blocks, strict=True)
            for _ in range(count)
        )

    @property
    def algorithm(self) -> Literal["fb", "fb_ar"]:
        """The name that the bundle and the tables use."""
        return "fb" if self.blocks == 1 else "fb_ar"
