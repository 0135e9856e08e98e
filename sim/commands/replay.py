"""`fb_ros replay`: the prompts of a recording, said again to a simulation."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from sensor_msgs.msg import JointState

from fb_ros.bundle.bundle import load_bundle
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.nodes.messages import stamp_of, values_of
from fb_ros.nodes.qos import PROMPT, STREAM
from fb_ros.paths import find_bundle
from sim.client.robot_client import RobotClient
from sim.client.running_robot import running_robot
from sim.recording.message_class import message_class
from sim.recording.recorded_run import RecordedRun, Said, largest_difference, read_run
from sim.robots.registry import require_robot


@dataclasses.dataclass(frozen=True, kw_only=True)
class ReplayConfig(CommandConfig):
    """Say the prompts of a recording again, each at its time, to a simulation in lock-step.

    What was recorded in lock-step is repeated bit for bit, or the exit status is 1.
    """

    bag: Path
    """Folder of the bag, as `fb_ros record` or `ros2 bag record` writes it."""
    bundle: Path = Path("jaco")
    """Folder of the bundle that ran, or the name of a model that ships."""
    namespace: str = "replay"
    """Namespace of the simulation."""


def replay(config: ReplayConfig) -> Result:
    """Runs the simulation; returns how far it went from the recording."""
    run = read_run(config.bag)
    path = find_bundle(config.bundle).resolve()
    bundle = load_bundle(path)
    require_robot(bundle.robot.name)
    if bundle.model_id != run.model_id:
        raise FbRosError(
            f"{config.bag} was recorded with model {run.model_id[:12]} of {run.robot}, "
            f"{config.bundle} is {bundle.model_id[:12]} of {bundle.robot.name}; give its --bundle"
        )
    options = {
        "bundle": str(path),
        "namespace": config.namespace,
        "lockstep": "true",
        "seed": str(run.seed or 0),
        "log_level": "warn",
    }
    with running_robot(bundle.robot.name, options, frame=bundle.robot.frame) as client:
        client.lockstep = True
        states: dict[int, dict[str, float]] = {}

        def keep(message: JointState) -> None:
            states[stamp_of(message)] = dict(zip(message.name, message.position, strict=True))

        client.create_subscription(JointState, "joint_states", keep, STREAM)
        client.wait_for(lambda: bool(states), "joint_states")
        same = _say_again(client, run, states)
    shared, largest, since = largest_difference(run.states, states)
    return {
        "bag": str(config.bag),
        "model_id": bundle.model_id,
        "lockstep": run.lockstep,
        "prompts": len(run.said),
        "same_z": same,
        "states": shared,
        "largest_difference": largest,
        "differs_from_s": since,
        "ok": not run.lockstep or (shared > 1 and since is None),
    }


def _say_again(client: RobotClient, run: RecordedRun, states: dict[int, dict[str, float]]) -> int:
    """Says every prompt at its time and runs on to the recording's end; returns how many got the
    same `z`."""
    first, start = min(run.states), min(states)

    def run_to(stamp: float) -> None:
        while client.now() - start * 1e-9 < stamp - first * 1e-9 - 1e-6:
            _step(client, states)

    same = 0
    for one in run.said:
        if one.stamp is not None:
            run_to(one.stamp)
        same += _say(client, one)
    run_to(max(run.states) * 1e-9)
    return same


def _step(client: RobotClient, states: dict[int, dict[str, float]]) -> None:
    stamp = round(client.step()["time"] * 1e9)
    client.wait_for(lambda: max(states) >= stamp and client.now() > stamp * 1e-9 - 1e-6, "a state")


def _say(client: RobotClient, one: Said) -> bool:
    publisher = client.create_publisher(message_class(one.kind), f"prompt/{one.topic}", PROMPT)
    client.wait_for(lambda: publisher.get_subscription_count() > 0, f"prompt/{one.topic}")
    status = client.ask(lambda: publisher.publish(one.content), one.text)
    client.destroy_publisher(publisher)
    if "z" not in values_of(status):
        raise FbRosError(
            f"the simulation refuses what the recording's robot took: {status.message}"
        )
    client.wait_for_z(status)
    return bool(values_of(status)["z"] == one.z)


def _show(result: Result) -> str:
    since = result["differs_from_s"]
    apart = f", from {since:.2f} s on" if since is not None else ""
    return (
        f"{result['prompts']} prompts said again, {result['same_z']} with the same z; "
        f"{result['states']} states compared, at most {result['largest_difference']:.3g} apart"
        f"{apart}" + ("" if result["lockstep"] else " (the recording was not in lock-step)")
    )


COMMAND = Command(config=ReplayConfig, run=replay, show=_show)
