"""Which bodies moved against those that they hang on.

A browser moves along what hangs on a body, so that a joint costs it one new orientation and not
the pose of everything beyond.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from sim.web.poses import conjugate, multiply, rotate

# Differences below this (m, or of a quaternion's numbers) are rounding.
_SAME = 1e-6


class Hanging:
    """A robot's bodies, and where each was last against its carrier."""

    def __init__(self, carriers: Mapping[int, int | None]) -> None:
        """`carriers` are the bodies' numbers, and those of the bodies that they hang on."""
        self.roots = tuple(body for body, carrier in carriers.items() if carrier is None)
        """The bodies that hang on no other; what hangs on a hidden body is hidden, too."""
        self._bodies = np.array(list(carriers), dtype=int)
        hanging = [body for body, carrier in carriers.items() if carrier is not None]
        self._hanging = np.isin(self._bodies, hanging)
        self._carriers = np.array([carriers[body] for body in hanging], dtype=int)
        self._positions = np.full((len(carriers), 3), np.inf)
        self._quaternions = np.full((len(carriers), 4), np.inf)

    def changes(
        self, positions: np.ndarray, quaternions: np.ndarray
    ) -> tuple[dict[int, np.ndarray], dict[int, np.ndarray]]:
        """Positions `(3,)`, m, and quaternions `(4,)` against the carriers, by body, as far as
        they are new.

        The arguments are the poses of all bodies in the world, `(n, 3)` and `(n, 4)`, w first.
        """
        shifts, turns = positions[self._bodies], quaternions[self._bodies]
        back = conjugate(quaternions[self._carriers])
        away = shifts[self._hanging] - positions[self._carriers]
        shifts[self._hanging] = rotate(back, away)
        turns[self._hanging] = multiply(back, turns[self._hanging])
        shifted = np.abs(shifts - self._positions).max(1) > _SAME
        turned = np.abs(turns - self._quaternions).max(1) > _SAME
        self._positions[shifted], self._quaternions[turned] = shifts[shifted], turns[turned]
        bodies = self._bodies
        return (
            dict(zip(bodies[shifted].tolist(), shifts[shifted], strict=True)),
            dict(zip(bodies[turned].tolist(), turns[turned], strict=True)),
        )
