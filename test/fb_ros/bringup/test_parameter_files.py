"""Which entries of a parameter file are meant for a node."""

from __future__ import annotations

from pathlib import Path

import pytest

from fb_ros.bringup.options import default_options
from fb_ros.bringup.parameter_files import parameters_of
from fb_ros.bringup.processes import robot_processes, web_process
from fb_ros.errors import FbRosError


def write(folder: Path, text: str) -> Path:
    file = folder / "parameters.yaml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("names", "is_meant"),
    [
        ("policy_node", True),
        ("/arm/policy_node", True),
        ("arm/policy_node", True),
        ("/**/policy_node", True),
        ("/**", True),
        ("/*/policy_node", True),
        ("/arm/*", True),
        ("/leg/policy_node", False),
        ("/*", False),
        ("task_inference_node", False),
        ("/**/sim_*", False),
    ],
)
def test_an_entry_names_nodes_as_rcl_does(tmp_path: Path, names: str, is_meant: bool) -> None:
    file = write(tmp_path, f"'{names}':\n  ros__parameters:\n    smoothing: 0.1\n")
    found = parameters_of(file, "policy_node", "arm")
    assert found == ({"smoothing": 0.1} if is_meant else {})


def test_a_namespace_may_be_a_level_of_its_own_and_names_may_be_nested(tmp_path: Path) -> None:
    file = write(tmp_path, "arm:\n  policy_node:\n    ros__parameters:\n      a: {b: 1, c: [x]}\n")
    assert parameters_of(file, "policy_node", "/arm/") == {"a.b": 1, "a.c": ["x"]}


def test_the_last_entry_wins(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "/**:\n  ros__parameters: {x: 1, y: 1}\npolicy_node:\n  ros__parameters: {x: 2}\n",
    )
    assert parameters_of(file, "policy_node", "arm") == {"x": 2, "y": 1}


@pytest.mark.parametrize("text", ["- a", "policy_node: 3", "a: [", "policy_node:\n  smoothing: 1"])
def test_what_is_no_parameter_file_is_refused_in_one_line(tmp_path: Path, text: str) -> None:
    with pytest.raises(FbRosError, match="params_file") as refusal:
        parameters_of(write(tmp_path, text), "policy_node", "arm")
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FbRosError, match="No such file"):
        parameters_of(tmp_path / "none.yaml", "policy_node", "arm")


def test_a_file_wins_over_defaults_and_arguments_over_the_file(tmp_path: Path) -> None:
    file = write(
        tmp_path, "/**:\n  ros__parameters: {ramp_seconds: 0.5, precision: fp16, z_timeout: 2.0}\n"
    )
    options = {"params_file": str(file), "precision": "fp16", "ramp_seconds": "0.25"}
    _, inference, policy = robot_processes("cart", options)
    assert inference.parameters["ramp_seconds"] == 0.25
    _, inference, policy = robot_processes("cart", {"params_file": str(file)})
    assert inference.parameters["ramp_seconds"] == 0.5
    assert policy.parameters["precision"] == "fp16"
    assert policy.parameters["z_timeout"] == 2.0


def test_what_a_launch_file_around_has_set_for_all_nodes_is_not_overridden() -> None:
    outer = {"use_sim_time": False, "observation_timeout": 0.5}
    simulation, inference, policy = robot_processes("jaco", {}, outer)
    assert policy.parameters["observation_timeout"] == 0.5
    assert policy.parameters["use_sim_time"] is False
    assert inference.parameters["use_sim_time"] is False
    # Nobody lives by its clock.
    assert simulation.parameters["publish_clock"] is False
    *_, policy = robot_processes("jaco", {"lockstep": "true"}, outer)
    assert policy.parameters["observation_timeout"] == 3600.0


def test_a_second_robot_lives_by_the_clock_of_the_first() -> None:
    simulation, *_ = robot_processes("cart", {"publish_clock": "false"})
    assert simulation.parameters["publish_clock"] is False
    assert simulation.parameters["use_sim_time"] is True
    simulation, *_ = robot_processes("cart", {})
    assert simulation.parameters["publish_clock"] is True
    assert simulation.parameters["use_sim_time"] is False


def test_the_page_takes_parameters_as_the_nodes_do(tmp_path: Path) -> None:
    file = tmp_path / "more.yaml"
    file.write_text(
        "/**: {ros__parameters: {rename_joints: {driver: j2n6s300_joint_1}}}\n"
        "/**/web_node: {ros__parameters: {port: 9000, host: 0.0.0.0}}\n"
    )
    page = web_process("jaco", default_options("jaco") | {"params_file": str(file)})
    assert page.parameters["rename_joints.driver"] == "j2n6s300_joint_1"
    assert page.parameters["port"] == 9000
    # What is said on the command line counts for more.
    page = web_process("jaco", {"params_file": str(file), "web_port": "8081"})
    assert page.parameters["port"] == 8081
    launched = robot_processes("jaco", {"params_file": str(file), "web": "true"})
    assert launched[-1].parameters["port"] == 9000
    assert not launched[-1].vital
