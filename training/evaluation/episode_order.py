"""The order of episodes: each from its own start, or one after the other."""

from __future__ import annotations

import numpy as np


def episodes_of(count: int, starts: int, seed: int, sequence: bool) -> list[tuple[int, int, bool]]:
    """Start, prompt and whether the robot is reset before it, in running order.

    Each of `count` prompts runs from each of the starts. In a `sequence`, the robot is reset only
    at each start: from the first start the prompts follow in their order, from the others in
    shuffled orders.
    """
    if not sequence:
        return [(start, index, True) for index in range(count) for start in range(starts)]
    episodes = []
    for start in range(starts):
        shuffled = np.random.default_rng([seed, start]).permutation(count).tolist()
        order = shuffled if start else range(count)
        episodes += [(start, index, place == 0) for place, index in enumerate(order)]
    return episodes
