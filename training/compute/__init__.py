"""Devices, threads and processes that share the work."""
