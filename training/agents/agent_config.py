"""Configuration of the forward-backward agent: four algorithms, one set of parameters."""

from __future__ import annotations

import dataclasses
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
    Fields that begin with "Ours" are in no paper, and are off by default.
    """

    algorithm: Algorithm = "fb"
    """`fb`: Touati and Ollivier's forward-backward representation. `fb_ar`: with auto-regressive
    features. `fb_aw`: with an advantage-weighted policy, for data that do not explore.
    `fb_aware`: with both."""
    features: tuple[str, ...] = ()
    """Task features that `B` reads, of those that the robot has; none: all of them."""
    d: int = 64
    """Length of `z`, of `F` and of `B`."""
    blocks: int = 1
    """Auto-regressive blocks of `B`, of equal length; one is plain FB."""
    block_sizes: tuple[int, ...] = ()
    """Lengths of the blocks, `d` in all; none: `blocks` equal ones."""
    gamma: float = 0.98
    """Discount."""
    hidden: int = 256
    """Width of `F` and of the policy. The papers' is 1024, with batches of 1024, on a GPU."""
    backward_hidden: int = 256
    """Width of each block of `B`."""
    ensemble: int = 2
    """Number `P` of fully parallel `F` networks."""
    batch: int = 512
    """Transitions in an update."""
    groups: int = 0
    """Encodings `z` in an update, each shared by `batch / groups` transitions; 0: as many as
    transitions, which one block allows, since its `B` does not read `z`."""
    negatives: int = 0
    """Independent states `s''` for each group; 0: the next states of the other transitions."""
    learning_rate: float = 3e-4
    """Adam's step size for `F` and the policy."""
    backward_learning_rate: float = 3e-4
    """Adam's step size for `B`."""
    anneal: bool = False
    """Lower the step sizes linearly, to nothing at the end of the training."""
    target_rate: float = 0.01
    """Share of the online weights that enters the target networks in an update."""
    pessimism: float = 0.0
    """Standard deviations of the ensemble subtracted in the targets; 1 of two is the smaller. An
    ensemble of one has none."""
    actor_pessimism: float = 0.5
    """The same in the policy's objective."""
    ortho: float = 1.0
    """Weight of the orthonormality of `B`."""
    fb_loss: float = 1.0
    """Weight of the Bellman error of the successor measure."""
    noise: float = 0.2
    """Standard deviation of the smoothing noise on the policy's actions in training (TD3's; `fb`
    and `fb_ar`)."""
    noise_clip: float = 0.3
    """Bound of that noise."""
    weighting: Weighting = "iwis"
    """Weights of the data's actions (`fb_aw` and `fb_aware`): weighted importance sampling, or the
    improved one."""
    temperature: float = 1.0
    """`beta` of the weights `exp(A / beta)`: small ones use the best actions only, and leave
    the batch to a few of its rows."""
    temperature_unit: Literal["spread", "q"] = "spread"
    """What `beta` is counted in: the standard deviation of the batch's advantages (ours: it needs
    no tuning to the scale of `Q`), or `Q` itself, as in the papers."""
    value_samples: int = 4
    """The policy's actions over which the value in the advantage is averaged: with a single one,
    its noise is as large as the advantage itself."""
    eval_samples: int = 1
    """`M` of evaluation-based sampling (`fb_aw` and `fb_aware`): the best by `F^T z` of so many
    actions of the policy is executed in evaluations; 1: its mean, as `policy_node` does."""
    goal_share: float = 0.5
    """Share of the `z` that encode single states of the data."""
    mixture_share: float = 0.0
    """Share of the `z` that encode random mixtures of states; what no share names is uniform on
    the spheres."""
    mixture_states: int = 4
    """States in a mixture."""
    bfloat16: bool = True
    """Compute the hidden layers in bfloat16, with weights, outputs and losses in float32, where
    that is faster: on GPUs and on processors with matrix units for it (AMX), but not on Intel's
    without, which compute in float32 instead."""

    forward: Literal["direct", "dynamics"] = "direct"
    """`F(s, a, z)` as a network of all three. Ours: `dynamics`, a network `F'(s', z)` of the next
    state, which a learned model of the robot predicts; `B` may then read only what the
    observation holds."""
    feature_blocks: tuple[int, ...] = ()
    """Ours. How many of the blocks read each of `features`, and nothing else; none: all blocks
    read all features. Blocks of their own let a task leave a feature open: its part of `z` is
    zero."""
    open_shares: tuple[float, ...] = ()
    """Ours. Share of the training's `z` that leave each of `features` open; none: always all
    asked."""
    fourier: int = 0
    """Ours. Random Fourier features of the inputs of `B`; 0 for none."""
    fourier_scale: float = 1.5
    """Standard deviation of their frequencies, in radians per standard deviation of a feature."""
    successor_loss: float = 0.0
    """Ours. Weight of the Bellman error of `F` as the successor features of `B`."""
    q_loss: float = 0.0
    """Ours. Weight of the Bellman error of `F^T z`, the one projection that the policy reads."""
    average_rate: float = 1.0
    """Ours, if below 1. Share of the online weights that enters the averaged ones in an update;
    these are what is evaluated and exported."""
    action_penalty: float = 0.0
    """Ours. Price of an action's mean square, as a share of `Q` (`fb` and `fb_ar`): joints that do
    not matter for the task rest, and do not carry the robot away from the data."""
    rest_penalty: float = 0.0
    """Ours. Price of an action's mean magnitude where the task is fulfilled, as a share of `Q`
    (`fb` and `fb_ar`). Unlike the square of `action_penalty` it does not vanish near zero: what
    the task does not ask for stands still."""
    box_share: float = 0.0
    """Ours. Share of the goals, and of the independent states `s''`, that are drawn evenly over
    the robot's goal box, cell by cell, so that its corners are as frequent as its middle. `B`
    resolves most where the `s''` are frequent: with the data as they are, the reward of a goal in
    a rarely visited corner hardly falls off around it."""
    box_margin: float = 0.1
    """How much wider on every side this box is, in the unit of the goal feature: the reward of a
    goal at the edge has to fall off outwards, too."""
    region_share: float = 0.0
    """Ours. Share of the `z` that encode being on one side of a random plane."""
    reward_share: float = 0.0
    """Ours. Share of the `z` that encode rewards drawn at random, of every kind that a person
    might type (`training.agents.reward_prior`)."""
    reward_states: int = 256
    """States over which each of these is encoded."""
    future_share: float = 0.0
    """Ours. Share of the groups whose transitions come from one window of a trajectory and whose
    `z` encodes what that trajectory did next (`training.agents.windows`)."""
    window_share: float = 0.0
    """Ours. Share of the `z` that encode states of a window of a trajectory anywhere."""
    window_steps: int = 20
    """Length of a window, in control periods."""
    future_steps: tuple[int, int] = (3, 60)
    """From how many to how many control periods after its window a future begins."""
    future_span: int = 25
    """Over how many control periods the states of one task are spread: a stride of a walking
    robot, so that a task is a velocity and not the way from one to another."""
    future_states: int = 8
    """States of a window, or of a future, that make a task."""
    rare_share: float = 0.0
    """Ours. Share of the windows that are drawn where velocities are rare: by the square root of
    how many there are."""

    def __post_init__(self) -> None:
        if self.algorithm not in ALGORITHMS:
            raise FbRosError(
                f"there is no algorithm {self.algorithm!r}; possible: {', '.join(ALGORITHMS)}"
            )
        require_numbers(self)
        if self.block_sizes:
            # The one thing that two fields say; the sizes say more.
            object.__setattr__(self, "blocks", len(self.block_sizes))
        require_blocks(self)
        require_groups(self)

    @property
    def auto_regressive(self) -> bool:
        """Whether `B` reads `z`."""
        return self.algorithm in ("fb_ar", "fb_aware")

    @property
    def advantage_weighted(self) -> bool:
        """Whether the policy is made of the data's own actions."""
        return self.algorithm in ("fb_aw", "fb_aware")

    @property
    def sizes(self) -> tuple[int, ...]:
        """Length of each block, `d` in all."""
        return self.block_sizes or (self.d // self.blocks,) * self.blocks

    @property
    def encodings(self) -> int:
        """How many `z` an update has."""
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
        """The same, with the features of the robot named where none were; refuses unknown ones."""
        if not self.features:
            names = tuple(field.name for field in spec.features)
            return dataclasses.replace(self, features=names)
        for name in self.features:
            spec.feature(name)
        return self

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> AgentConfig:
        """Reads what `dataclasses.asdict` made; refuses an unknown field, naming the others."""
        require_fields(data)
        plain: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in data.items()
        }
        return cls(**plain)


def require_fields(names: Any) -> None:
    """Refuses names that are no fields of the configuration."""
    valid = [field.name for field in dataclasses.fields(AgentConfig)]
    for name in names:
        if name not in valid:
            raise FbRosError(f"the agent has no setting {name!r}; it has {', '.join(valid)}")
