"""Configuration of the forward-backward agent: four algorithms, one set of parameters."""

from __future__ import annotations

import dataclasses
import itertools
from typing import Any, Literal, get_args

from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.advantage import Weighting
from training.agents.agent_checks import require_blocks, require_groups, require_numbers

Algorithm = Literal["fb", "fb_ar", "fb_aw", "fb_aware"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)


@dataclasses.dataclass(frozen=True, kw_only=True)
class AgentConfig:
    """Sizes, losses and optimisation of the forward-backward agent.

    The defaults are plain FB's; `training.agents.recipes` holds those of the other algorithms.
    Fields marked "Ours" are in no paper, and are off by default.
    """

    algorithm: Algorithm = "fb"
    """`fb`: Touati and Ollivier's forward-backward representation. `fb_ar`: with auto-regressive
    features. `fb_aw`: with an advantage-weighted policy, for data that do not explore. `fb_aware`:
    with both."""
    features: tuple[str, ...] = ()
    """Task features of the robot that `B` reads; none: all of them."""
    d: int = 64
    """Length of `z`, of `F` and of `B`."""
    blocks: int = 1
    """Auto-regressive blocks of `B`, of equal length; one block is plain FB."""
    block_sizes: tuple[int, ...] = ()
    """Lengths of the blocks, which sum to `d`; none: `blocks` equal ones."""
    gamma: float = 0.98
    """Discount."""
    hidden: int = 256
    """Width of `F` and of the policy. The papers use 1024, with batches of 1024, on a GPU."""
    backward_hidden: int = 256
    """Width of each block of `B`."""
    ensemble: int = 2
    """Number `P` of fully parallel `F` networks."""
    batch: int = 512
    """Transitions per update."""
    groups: int = 0
    """Encodings `z` per update, each shared by `batch / groups` transitions; 0: one for each
    transition, which needs a single block, since its `B` does not read `z`."""
    negatives: int = 0
    """Independent states `s''` per group; 0: the next states of the other transitions."""
    learning_rate: float = 3e-4
    """Adam's step size for `F` and the policy."""
    backward_learning_rate: float = 3e-4
    """Adam's step size for `B`."""
    anneal: bool = False
    """Lower the step sizes linearly, to zero at the end of the training."""
    target_rate: float = 0.01
    """Share of the online weights that enters the target networks per update."""
    pessimism: float = 0.0
    """Standard deviations of the ensemble that are subtracted in the targets; for two members, 1
    gives the smaller one. An ensemble of one has no deviation."""
    actor_pessimism: float = 0.5
    """The same in the policy's objective."""
    ortho: float = 1.0
    """Weight of the loss that makes `B` orthonormal."""
    fb_loss: float = 1.0
    """Weight of the Bellman error of the successor measure."""
    noise: float = 0.2
    """Standard deviation of the smoothing noise on the policy's actions in training (TD3's; `fb`
    and `fb_ar`)."""
    noise_clip: float = 0.3
    """Bound of the smoothing noise."""
    weighting: Weighting = "iwis"
    """Weights of the data's actions (`fb_aw` and `fb_aware`): weighted importance sampling, or the
    improved one."""
    temperature: float = 1.0
    """`beta` of the weights `exp(A / beta)`: small values use only the best actions, and leave
    only a few rows of the batch with weight."""
    temperature_unit: Literal["spread", "q"] = "spread"
    """Unit of `beta`: the standard deviation of the batch's advantages (ours: it needs no tuning
    to the scale of `Q`), or `Q` itself, as in the papers."""
    value_samples: int = 4
    """Actions of the policy over which the value in the advantage is averaged: with a single one,
    its noise is as large as the advantage itself."""
    eval_samples: int = 1
    """`M` of evaluation-based sampling (`fb_aw` and `fb_aware`): evaluations execute the best of
    this many actions of the policy by `F^T z`; 1: its mean, as `policy_node` does."""
    goal_share: float = 0.5
    """Share of the `z` that encode single states of the data."""
    mixture_share: float = 0.0
    """Share of the `z` that encode random mixtures of states; the rest, in no share, is uniform
    on the spheres."""
    mixture_states: int = 4
    """States per mixture."""
    bfloat16: bool = True
    """Compute the hidden layers in bfloat16, with weights, outputs and losses in float32, where
    that is faster: on GPUs and on processors with matrix units for it (AMX). Intel processors
    without AMX compute in float32 instead."""

    forward: Literal["direct", "dynamics"] = "direct"
    """`direct`: `F(s, a, z)` is a network of all three. `dynamics` (ours): a network `F'(s', z)`
    of the next state, which a learned model of the robot predicts; `B` may then read only features
    that the observation holds."""
    feature_blocks: tuple[int, ...] = ()
    """Ours. Number of blocks that read each of `features` and nothing else; none: all blocks read
    all features. With separate blocks, a task can leave a feature open: its part of `z` is
    zero."""
    open_shares: tuple[float, ...] = ()
    """Ours. Share of the training's `z` that leave each of `features` open; none: all are always
    asked for."""
    fourier: int = 0
    """Ours. Number of random Fourier features of the inputs of `B`; 0: none."""
    fourier_scale: float = 1.5
    """Standard deviation of their frequencies, in radians per standard deviation of a feature."""
    successor_loss: float = 0.0
    """Ours. Weight of the Bellman error of `F` as the successor features of `B`."""
    q_loss: float = 0.0
    """Ours. Weight of the Bellman error of `F^T z`, the only projection that the policy reads."""
    policy_share: float = 0.0
    """Ours. Share of a training, at its end, in which `F` and `B` stay as they are and the policy
    alone learns, from transitions that have a task each."""
    average_rate: float = 1.0
    """Ours, if below 1. Share of the online weights that enters the averaged ones per update; the
    averaged weights are evaluated and exported."""
    action_penalty: float = 0.0
    """Ours. Price of an action's mean square, as a share of `Q` (`fb` and `fb_ar`): joints that do
    not matter for the task rest, and do not carry the robot away from the data."""
    rest_penalty: float = 0.0
    """Ours. Price of each joint's motion where all that it can change is as the task asks, as a
    share of `Q` (`fb` and `fb_ar`). Unlike the square in `action_penalty`, it does not vanish near
    zero: joints that the task does not need stand still."""
    box_share: float = 0.0
    """Ours. Share of the goals, and of the independent states `s''`, that are drawn evenly over
    the robot's goal box, cell by cell, so that its corners are as frequent as its middle. `B`
    resolves most where the `s''` are frequent: with the data as they are, the reward of a goal in
    a rarely visited corner hardly falls off around it."""
    box_margin: float = 0.1
    """Extra width of this box on every side, in the unit of the goal feature: the reward of a goal
    at the edge has to fall off outwards, too."""
    region_share: float = 0.0
    """Ours. Share of the `z` that encode lying on one side of a random plane."""
    reward_share: float = 0.0
    """Ours. Share of the `z` that encode random rewards, of every kind that a person might type
    (`training.agents.reward_prior`)."""
    reward_states: int = 256
    """States over which each random reward is encoded."""
    future_share: float = 0.0
    """Ours. Share of the groups whose transitions come from one window of a trajectory and whose
    `z` encodes the mean state of what it did next (`training.agents.windows`)."""
    window_steps: int = 8
    """Length of a window, in control periods."""
    future_steps: tuple[int, int] = (1, 3)
    """Range in which a future begins after its window, in control periods. Together they are much
    shorter than a task lasts, or the future tells of the next one."""
    far_share: float = 0.0
    """Ours. Share of the futures that begin later, each doubling of the distance as often."""
    far_steps: int = 50
    """How long after its window such a future may begin, in control periods."""
    future_span: int = 25
    """Control periods over which the state of a task is averaged: a stride of a walking robot."""
    rare_share: float = 0.0
    """Ours. Share of the windows that are drawn where velocities and postures are rare, weighted
    by the square root of how many windows there are."""
    steady: float = 0.0
    """Ours. The furthest that the mean velocity of a task's stride may be from the next stride's,
    in the robot's `velocity_widths`; 0: any. A task is then a velocity and a posture that were
    kept."""

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise FbRosError(
                f"there is no algorithm {self.algorithm!r}; possible: {', '.join(ALGORITHMS)}"
            )
        require_numbers(self)
        if self.block_sizes:
            # Two fields give the number of blocks; the sizes say more.
            object.__setattr__(self, "blocks", len(self.block_sizes))
        require_blocks(self)
        require_groups(self)

    @property
    def auto_regressive(self) -> bool:
        """Whether `B` reads `z`."""
        return self.algorithm in ("fb_ar", "fb_aware")

    @property
    def advantage_weighted(self) -> bool:
        """Whether the policy learns from the data's own actions."""
        return self.algorithm in ("fb_aw", "fb_aware")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Lengths of the blocks, which sum to `d`."""
        return self.block_sizes or (self.d // self.blocks,) * self.blocks

    @property
    def part_sizes(self) -> tuple[int, ...]:
        """Lengths of the parts of `z`: the blocks of one feature are one part, and blocks that
        read all features are one."""
        ends = list(itertools.accumulate(self.feature_blocks)) or [self.blocks]
        starts = [0, *ends[:-1]]
        return tuple(sum(self.sizes[start:end]) for start, end in zip(starts, ends, strict=True))

    @property
    def encodings(self) -> int:
        """Number of `z` in an update."""
        return self.groups or self.batch

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

    def of_robot(self, spec: RobotSpec) -> AgentConfig:
        """The same settings with all of the robot's features if none are named; refuses unknown
        ones."""
        if not self.features:
            names = tuple(field.name for field in spec.features)
            return dataclasses.replace(self, features=names)
        for name in self.features:
            spec.feature(name)
        return self

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AgentConfig:
        """Reads the result of `dataclasses.asdict`; refuses an unknown field and lists the valid
        ones."""
        require_fields(data)
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data.items()
        }
        return cls(**plain)


def require_fields(names: Any) -> None:
    """Refuses names that are not fields of the configuration."""
    valid = [field.name for field in dataclasses.fields(AgentConfig)]
    for name in names:
        if name not in valid:
            raise FbRosError(f"the agent has no setting {name!r}; it has {', '.join(valid)}")
