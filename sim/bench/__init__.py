"""Latency, faults and soaks of the running nodes, measured."""
