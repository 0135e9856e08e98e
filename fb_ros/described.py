"""Settings that launch files and nodes share, each described once."""

from __future__ import annotations

BACKEND = (
    "inference runtime: TensorRT builds missing engines and falls back to onnxruntime; auto "
    "uses a GPU only if its engines are built"
)
PRECISION = "precision of the networks' hidden layers"
OBSERVATION_SOURCE = (
    "vector: from the topic observation; sensors: from joint_states, and tcp_pose, odom and imu "
    "where the model reads them"
)
SOURCES = ("vector", "sensors")
"""Values that `observation_source` may have."""
