"""Settings that launch files and nodes share, each described once."""

from __future__ import annotations

BACKEND = (
    "inference runtime: a GPU's builds its engines where there are none yet and falls back to "
    "onnxruntime; auto takes a GPU for which they are built"
)
PRECISION = "precision of the networks' hidden layers"
OBSERVATION_SOURCE = (
    "vector: from the topic observation; sensors: from joint_states, and tcp_pose, odom and imu "
    "where the model reads them"
)
SOURCES = ("vector", "sensors")
"""Values that `observation_source` may have."""
