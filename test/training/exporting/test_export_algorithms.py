"""Exporting an algorithm by the book: a direct `F`, unequal blocks, a stochastic policy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file

from fb_ros.backends.graphs import POLICY, TASK_ENCODER, VALUE
from fb_ros.bundle.bundle import load_bundle
from sim.robots.point_mass import SPEC
from training.agents.agent_networks import Networks
from training.agents.recipes import agent_config
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.commands.export import ExportConfig, export
from training.commands.train import train
from training.networks.encoding import encode
from training.runs.train_config import TrainConfig

AGENT = agent_config(
    "fb_aware",
    d=12,
    block_sizes=(6, 4, 2),
    hidden=16,
    backward_hidden=16,
    batch=32,
    groups=4,
    features=("tcp_pos", "joint_vel"),
)


def test_a_textbook_model_goes_through_export_as_it_was_trained(tmp_path: Path) -> None:
    data, run, out = tmp_path / "data", tmp_path / "run", tmp_path / "bundle"
    collect(CollectConfig(robot="point_mass", out=data, episodes=3, episode_steps=30, workers=1))
    train(
        TrainConfig(
            robot="point_mass",
            data=(data,),
            out=run,
            updates=5,
            eval_goals=1,
            threads=1,
            agent=AGENT,
        )
    )
    export(ExportConfig(run=run, data=(data,), out=out, reference_states=50, goals=1))
    bundle = load_bundle(out)
    assert (bundle.algorithm, bundle.blocks) == ("fb_aware", (6, 4, 2))
    networks = Networks(AGENT, SPEC)
    networks.load_state_dict(load_file(run / "best.safetensors"))

    rng = np.random.default_rng(0)
    rows = {
        "observation": rng.normal(size=(1, SPEC.obs_dim)).astype(np.float32),
        "action": rng.uniform(-1, 1, size=(1, SPEC.act_dim)).astype(np.float32),
        "z": rng.normal(size=(1, AGENT.d)).astype(np.float32),
        "reward": rng.normal(size=(1, AGENT.d)).astype(np.float32),
    }
    tensors = {name: torch.from_numpy(value) for name, value in rows.items()}
    q = bundle.load_graph(VALUE).run(rows)[0]
    np.testing.assert_allclose(q, networks.q_of(**tensors).detach(), atol=1e-4)
    inputs = {name: rows[name] for name in ("observation", "z")}
    inputs["noise"] = np.array([[0.5, -1.0]], dtype=np.float32)
    action, mean, scale = bundle.load_graph(POLICY).run(inputs)
    expected = networks.policy.mean_and_scale(tensors["observation"], tensors["z"])
    for array, tensor in zip((mean, scale), expected, strict=True):
        np.testing.assert_allclose(array, tensor.detach(), atol=1e-5)
    np.testing.assert_allclose(action, np.clip(mean + scale * inputs["noise"], -1, 1), atol=1e-6)
    inputs = {
        "features": rng.normal(scale=0.1, size=(7, SPEC.feature_dim)).astype(np.float32),
        "weights": rng.uniform(size=7).astype(np.float32),
        "reward": rng.normal(size=7).astype(np.float32),
        "asked": np.ones(3, dtype=np.float32),
    }
    found = bundle.load_graph(TASK_ENCODER).run(inputs)
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    expected = encode(
        networks.backward_map,
        tensors["features"],
        tensors["weights"],
        tensors["asked"],
        tensors["reward"],
    )
    for array, tensor in zip(found, expected, strict=True):
        np.testing.assert_allclose(array, tensor.detach(), atol=1e-5)
