"""Random rewards: what people might type, before anyone has typed it.

Ours, in no paper. A share of the training's `z` encodes such rewards (`AgentConfig.reward_share`),
so that policies are learned for what people ask for, and not only for goals. The grammar, in the
order of its functions: a *measure* turns each state into one number, a *shape* turns that number
into a reward, and a *term* joins shapes, regions and peaks. Features are scaled to a mean of zero
and a spread of one, so that no unit and no robot has to be known.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

import torch

# After this many draws that do not vary over the states, the distance to a state is taken.
_ATTEMPTS = 8
# A reward is constant if it varies less than this between states whose features differ by one.
_CONSTANT = 1e-4
# Limits in `fb_ros.candidates`: share of the range that counts as no reward, and share of the
# states that makes a reward dense.
_CARRIED, _DENSE = 0.01, 0.1


def draw_rewards(
    states: torch.Tensor, asked: Sequence[Sequence[Sequence[int]]], generator: torch.Generator
) -> torch.Tensor:
    """A reward for each task, `(tasks, n)`, from 0 to 1 over its states `(tasks, n, features)`.

    `asked[t]` holds the columns of each feature that task `t` concerns; all of them enter the
    reward. Every reward is finite, and varies wherever the states do.
    """
    rng = random.Random(int(torch.randint(1 << 62, (), generator=generator)))
    return torch.stack([_draw(x, columns, rng) for x, columns in zip(states, asked, strict=True)])


def reward_weights(rewards: torch.Tensor) -> torch.Tensor:
    """The weights in `z` of states with rewards `(…, n)`, as in task inference.

    A reward that more than a tenth of the states carry is centred. A sparse one starts at its
    floor, and values below a hundredth of its range count as zero.
    """
    low, high = rewards.amin(-1, keepdim=True), rewards.amax(-1, keepdim=True)
    threshold = low + _CARRIED * (high - low)
    carried = rewards > threshold
    dense = carried.float().mean(-1, keepdim=True) > _DENSE
    sparse = torch.where(carried, rewards - low, 0.0)
    return torch.where(dense, rewards - rewards.mean(-1, keepdim=True), sparse)


def common_spread(std: torch.Tensor, columns: Sequence[Sequence[int]]) -> torch.Tensor:
    """The root mean square of the standard deviations `(features,)` of each feature's columns.

    All columns of a feature get the same value, `(features,)`, or one if none of them varies.
    """
    spread = torch.ones_like(std)
    for of in columns:
        common = float(std[list(of)].square().mean().sqrt())
        spread[list(of)] = common if common > 0.0 else 1.0
    return spread


def _draw(
    states: torch.Tensor, asked: Sequence[Sequence[int]], rng: random.Random
) -> torch.Tensor:
    for _ in range(_ATTEMPTS):
        terms = [_term(states[:, list(columns)], rng) for columns in asked]
        reward = terms[0]
        for other in terms[1:]:
            reward = _joined(reward, other, rng)
        if float(reward.max() - reward.min()) > 0.5 and bool(reward.isfinite().all()):
            return reward
    columns = [column for some in asked for column in some]
    return _scaled(-_distance(states[:, columns], states[rng.randrange(len(states)), columns]))


def _term(x: torch.Tensor, rng: random.Random, depth: int = 2) -> torch.Tensor:
    """A reward over one feature `(n, columns)`: a shape, a box, peaks, or two of these joined."""
    kind = rng.random()
    if kind < 0.60 or depth == 0:
        return _scaled(_shape(_measure(x, rng), rng))
    if kind < 0.70:
        return _box(x, rng)
    if kind < 0.80:
        return _peaks(x, rng)
    return _joined(_term(x, rng, depth - 1), _term(x, rng, depth - 1), rng)


def _joined(a: torch.Tensor, b: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """Joins two rewards: a product, a sum, either, both, or one whose start depends on the
    other."""
    kind = rng.choice(("product", "sum", "either", "both", "where"))
    if kind == "product":
        # A shift, since a product with a factor that may be zero is another task than one without.
        return _scaled((a + rng.uniform(0.0, 0.5)) * (b + rng.uniform(0.0, 0.5)))
    if kind == "sum":
        return _scaled(a + rng.uniform(0.3, 3.0) * b)
    if kind == "either":
        return _scaled(torch.maximum(a, b))
    if kind == "both":
        return _scaled(torch.minimum(a, b))
    return _scaled(torch.where(a > _level(a, rng), b, rng.uniform(0.0, 1.0) * (1.0 - b)))


def _measure(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """One number for each state, `(n,)`: a coordinate, a direction, a distance or a product."""
    columns = x.shape[-1]
    kind = rng.random()
    if kind < 0.35:
        return x[:, rng.randrange(columns)]
    if kind < 0.60:
        return x @ x.new_tensor([rng.gauss(0.0, 1.0) for _ in range(columns)])
    if kind < 0.90:
        few = rng.sample(range(columns), rng.choice((columns, columns, rng.randint(1, columns))))
        return _distance(x[:, few], _centre(x, rng)[few])
    first, second = rng.randrange(columns), rng.randrange(columns)
    centre = rng.choice((0.0, 1.0)) * _centre(x, rng)
    return (x[:, first] - centre[first]) * (x[:, second] - centre[second])


def _shape(measure: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """A reward of one number, `(n,)`: steady, saturating, a ridge, a peak, a step or a band."""
    u = (measure - measure.mean()) / measure.std().clamp(min=_CONSTANT)
    sign, width = rng.choice((-1.0, 1.0)), _log_uniform(0.05, 2.0, rng)
    level, kind = _level(u, rng), rng.random()
    off = (u - level).abs()
    if kind < 0.30:
        return sign * u
    if kind < 0.40:
        return torch.tanh(sign * (u - level) / width)
    if kind < 0.55:
        return -off if rng.random() < 0.5 else -off.square()
    if kind < 0.75:
        near = torch.exp(-off / width), torch.exp(-(off / width).square()), 1.0 / (width + off)
        return rng.choice(near)
    if kind < 0.80:
        return torch.exp((sign * u - (sign * u).max()) / width)
    if kind < 0.90:
        return (sign * u > sign * level).to(u.dtype)
    return (off < width).to(u.dtype)


def _box(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """A reward inside a box, open on some sides: also corners of half-spaces, beams and slabs."""
    centre = _centre(x, rng)
    inside = torch.ones(len(x), dtype=torch.bool, device=x.device)
    for column in range(x.shape[-1]):
        half, side = _log_uniform(0.2, 2.0, rng), rng.choice((-1.0, 0.0, 0.0, 1.0, 2.0))
        off = x[:, column] - centre[column]
        if side < 2.0:  # Otherwise it is open on both sides.
            inside &= (off.abs() < half) if side == 0.0 else (side * off > -half)
    return inside.to(x.dtype)


def _peaks(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """The largest of two or three peaks of the same width, at any distance from each other."""
    width, power = _log_uniform(0.1, 1.0, rng), rng.choice((1.0, 2.0))
    peaks = [
        torch.exp(-((_distance(x, _centre(x, rng)) / width) ** power))
        for _ in range(rng.choice((2, 2, 3)))
    ]
    return _scaled(torch.stack(peaks).amax(0))


def _centre(x: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """A state, or a point near one, `(columns,)`."""
    spread = rng.choice((0.0, 0.3, 1.0))
    return x[rng.randrange(len(x))] + x.new_tensor(
        [rng.gauss(0.0, spread) for _ in range(x.shape[-1])]
    )


def _distance(x: torch.Tensor, centre: torch.Tensor) -> torch.Tensor:
    return (x - centre).square().sum(-1).sqrt()


def _level(u: torch.Tensor, rng: random.Random) -> torch.Tensor:
    """The level at which a shape begins: the value of some state, or one end of the range."""
    if rng.random() < 0.3:
        return u.max() if rng.random() < 0.5 else u.min()
    return u[rng.randrange(len(u))]


def _log_uniform(low: float, high: float, rng: random.Random) -> float:
    return math.exp(rng.uniform(math.log(low), math.log(high)))


def _scaled(reward: torch.Tensor) -> torch.Tensor:
    """The reward scaled to 0 to 1 over the states; zero if it does not vary."""
    low, high = reward.min(), reward.max()
    return (reward - low) / (high - low).clamp(min=1e-12) * (high - low > _CONSTANT)
