"""Where a `z` leads: the reference state whose encoding is most like it."""

from __future__ import annotations

import threading

import numpy as np

from fb_ros.bundle.bundle import Bundle
from fb_ros.robot.field import layout_slices
from fb_ros.task_inference.task_encoder import TaskEncoder

# Number of states that are encoded: they lie a few centimetres apart in an arm's workspace, and
# take about a second.
_MOST_STATES = 4000


class Leading:
    """Encodings of a bundle's reference states, made in the background.

    `B(s)` is the encoding of the state `s` as a goal, and `B(s)^T z` is the reward that a task `z`
    gives in it (Touati and Ollivier, arXiv 2103.07945). The state with the largest reward is the
    one that `z` asks for most. In units of `z^T z` the reward is a likeness: 1 in a state that is
    all that `z` asks for.
    """

    def __init__(self, bundle: Bundle) -> None:
        self._encoder = TaskEncoder(bundle, "onnxruntime")
        count = len(self._encoder.reference)
        rng = np.random.default_rng(0)
        self.states = np.sort(rng.permutation(count)[:_MOST_STATES])
        """Rows of the bundle's reference states that are encoded, `(n,)`."""
        self._columns = np.concatenate(
            [np.arange(bundle.robot.feature_dim)[part] for part in _parts(bundle)]
        )
        self._all = np.ones(len(bundle.blocks), dtype=np.float32)
        self._one = np.ones(1)
        self._encodings = np.empty((len(self.states), bundle.z_dim), dtype=np.float32)
        self._ready, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._encode_all, name="leading", daemon=True)

    def start(self) -> None:
        """Starts encoding; until all encodings are there, no leading state is known."""
        self._thread.start()

    def stop(self) -> None:
        """Stops the background work, which must not outlive the process's exit."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def _encode_all(self) -> None:
        for row, state in enumerate(self.states):
            if self._ending.is_set():
                return
            self._encodings[row] = self._encode(self._encoder.reference[state])
        self._ready.set()

    def wait(self, seconds: float) -> bool:
        """Waits up to `seconds`; whether all encodings are there."""
        return self._ready.wait(seconds)

    def state(self, z: np.ndarray) -> int | None:
        """Row of the reference state that `z` `(z_dim,)` asks for most; None until all are
        encoded."""
        if not self._ready.is_set():
            return None
        return int(self.states[np.argmax(self._encodings @ z)])

    def likeness(self, features: np.ndarray, z: np.ndarray) -> float | None:
        """Likeness of the task features `(feature_dim,)` to what `z` asks for; None without a
        `z`."""
        norm = float(z @ z)
        if not norm > 0.0 or not np.all(np.isfinite(features)):
            return None
        return float(self._encode(features[self._columns]) @ z) / norm

    def _encode(self, read: np.ndarray) -> np.ndarray:
        return self._encoder.encode(read[None].astype(np.float32), self._one, self._all).z


def _parts(bundle: Bundle) -> list[slice]:
    slices = layout_slices(bundle.robot.features)
    return [slices[name] for name in bundle.encoder_features]
