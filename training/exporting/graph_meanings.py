"""Meanings of a graph's inputs and outputs, written into the graph itself."""

from __future__ import annotations

from collections.abc import Sequence

from fb_ros.backends.graphs import TASK_ENCODER, VALUE
from fb_ros.robot.field import Field
from fb_ros.robot.robot_spec import RobotSpec
from training.agents.agent_config import AgentConfig


def graph_meanings(file: str, agent: AgentConfig, spec: RobotSpec) -> dict[str, str]:
    """Meaning of each input and output of the graph in `file`, with layout and units."""
    actions = ", ".join(spec.action_joints)
    z = f"task encoding, {_blocks(agent.sizes)}"
    meanings = {
        "observation": _layout(spec.observation),
        "features": _layout([spec.feature(name) for name in agent.features]),
        "z": z + ", each of norm sqrt(its length) or zero",
        "noise": f"standard normal, or zero for the mean action: {actions}",
        "next_observation": "predicted, one control period on: " + _layout(spec.observation),
        "action": f"-1 to 1 from the lowest to the highest command: {actions}",
        "mean": f"the action without noise: {actions}",
        "scale": f"standard deviation of the noise on the action: {actions}",
        "weights": "weight of each state in z",
        "reward": "reward of each state",
        "asked": "1 for each block that the task is about, 0 for one that it leaves open",
        "q": "discounted return of the reward that z stands for",
    }
    if file == TASK_ENCODER:
        meanings["mean"] = "E[r B(s, z)], in units of the reward"
    if file == VALUE:
        meanings["reward"] = "z for Q, or E[r B(s, z)] for the return of another reward r"
    return meanings


def _layout(fields: Sequence[Field]) -> str:
    return ", ".join(f"{field.name}[{field.size}] {field.unit}".strip() for field in fields)


def _blocks(sizes: tuple[int, ...]) -> str:
    """`4 blocks of 16`, or the length of each."""
    if len(set(sizes)) == 1:
        return f"{len(sizes)} blocks of {sizes[0]}"
    return f"{len(sizes)} blocks of {', '.join(map(str, sizes))}"
