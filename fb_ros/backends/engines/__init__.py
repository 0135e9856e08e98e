"""Builds, keeps and runs TensorRT engines."""
