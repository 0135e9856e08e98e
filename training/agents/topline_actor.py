"""Saving and loading a topline's actor."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from torch import nn

from training.agents.td3 import Td3, normalizer_of
from training.agents.td3_config import Td3Config
from training.networks.weights import load_weights, read_weights

TOPLINE = "td3"
"""Name of the topline's algorithm in its record."""


def actor_module(agent: Td3) -> nn.ModuleDict:
    """The saved part of an agent: its actor and the normaliser of the actor's input."""
    return nn.ModuleDict({"normalizer": agent.normalizer, "actor": agent.actor})


def load_topline(config: Td3Config, obs_dim: int, act_dim: int, path: Path) -> Td3:
    """An agent whose actor has the weights in `path`."""
    nothing = normalizer_of(np.zeros(obs_dim), np.ones(obs_dim))
    agent = Td3(config, obs_dim, act_dim, nothing)
    load_weights(actor_module(agent), read_weights(path), path)
    return agent
