"""A short name for a task encoding, the same in every process."""

from __future__ import annotations

import hashlib

import numpy as np


def z_digest(z: np.ndarray | None) -> str:
    """16 hexadecimal digits of the SHA-256 of `z` `(d,)` in float32; empty for none."""
    if z is None:
        return ""
    return hashlib.sha256(np.asarray(z, dtype=np.float32).tobytes()).hexdigest()[:16]
