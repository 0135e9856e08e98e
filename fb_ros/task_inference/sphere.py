"""Moves between encodings on the spheres of their blocks, where the policy was trained."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fb_ros.task_inference.magnitude import magnitude

# Between opposite directions no way is shorter than the others.
_OPPOSITE = 1e-6


def project_z(z: np.ndarray, blocks: Sequence[int]) -> np.ndarray:
    """Scales each block of `z` `(d,)` to the norm `sqrt(d_k)`; a block of zeros stays one."""
    return np.concatenate([_unit(part) * np.sqrt(len(part)) for part in _parts(z, blocks)])


def blend(
    encodings: Sequence[np.ndarray], weights: Sequence[float], blocks: Sequence[int]
) -> np.ndarray:
    """The weighted sum of encodings `(d,)`, projected onto the spheres.

    Where an encoding leaves a block open (zeros), the others determine it.
    """
    largest = magnitude(np.asarray(weights))
    total = sum((weight / largest) * z for z, weight in zip(encodings, weights, strict=True))
    return project_z(np.asarray(total, dtype=np.float64), blocks)


def interpolate(
    start: np.ndarray, end: np.ndarray, share: float, blocks: Sequence[int]
) -> np.ndarray:
    """The point a `share` in [0, 1] of the way from one encoding to another, `(d,)`.

    Each block moves along its great circle (Shoemake 1985). A block that either encoding leaves
    open is that of `end`: the policy knows nothing in between.
    """
    if share >= 1.0:
        return np.asarray(end, dtype=np.float64)
    parts = []
    for a, b in zip(_parts(start, blocks), _parts(end, blocks), strict=True):
        cosine = float(np.clip(_unit(a) @ _unit(b), -1.0, 1.0))
        if not (np.any(a) and np.any(b)) or cosine < -1.0 + _OPPOSITE:
            parts.append(b)
            continue
        angle = np.arccos(cosine)
        if angle < 1e-6:
            parts.append(b)
            continue
        mixed = np.sin((1.0 - share) * angle) * a + np.sin(share * angle) * b
        parts.append(mixed / np.sin(angle))
    return np.concatenate(parts)


def _parts(z: np.ndarray, blocks: Sequence[int]) -> list[np.ndarray]:
    return np.split(np.asarray(z, dtype=np.float64), np.cumsum(blocks)[:-1])


def _unit(part: np.ndarray) -> np.ndarray:
    norm = np.linalg.norm(part)
    return part / norm if norm > 1e-12 else np.zeros_like(part)
