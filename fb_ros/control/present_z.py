"""The encoding in force, and the reasons for refusing a new one."""

from __future__ import annotations

import numpy as np


class PresentZ:
    """Takes encodings of one model, and holds none when something is wrong with the last one."""

    def __init__(self, model_id: str, z_dim: int) -> None:
        self._model_id, self._z_dim = model_id, z_dim
        self.value: np.ndarray | None = None
        """`(d,)`, or None."""

    def take(self, z: np.ndarray, model: str) -> str:
        """Takes a `z` that names `model` as its model; why it is refused, or an empty text."""
        reason = ""
        if model != self._model_id:
            reason = f"it is of model {model[:12] or '(none)'}, this is {self._model_id[:12]}"
        elif z.shape != (self._z_dim,):
            reason = f"it has {z.size} numbers, the model takes {self._z_dim}"
        elif not np.all(np.isfinite(z)):
            reason = "it is not finite"
        self.value = None if reason else z
        return reason

    def goes_stale(self, seconds: float, timeout: float) -> bool:
        """Whether no z came for longer than `timeout` (0: for ever); if so, the z is dropped."""
        if self.value is None or not 0.0 < timeout < seconds:
            return False
        self.value = None
        return True

    @staticmethod
    def lack(timeout: float) -> str:
        """The reason for standing still when none came for `timeout` seconds."""
        return f"no z for {timeout:g} s; is task_inference_node running?"
