"""One description of the processes, for the launch file and for the demo."""

from __future__ import annotations

import math

import pytest

from fb_ros.bringup.options import OPTIONS, default_options
from fb_ros.bringup.processes import Process, command_line, robot_processes
from fb_ros.errors import FbRosError


def test_every_option_has_a_default_and_a_description() -> None:
    defaults = default_options("cart")
    for option in OPTIONS:
        assert option.description
        assert defaults[option.name] or option.name == "params_file"
    assert defaults["namespace"] == "cart"


def test_a_robot_is_three_processes() -> None:
    names = [process.name for process in robot_processes("cart", {})]
    assert names == ["sim_node", "task_inference_node", "policy_node"]


def test_a_twin_comes_on_demand_and_takes_nobody_along_when_it_ends() -> None:
    processes = robot_processes("cart", {"twin": "true"})
    assert processes[-1].name == "twin_node"
    assert [process.vital for process in processes] == [True, True, True, False]


def test_options_reach_the_nodes() -> None:
    options = {
        "real_time_factor": "2.5",
        "backend": "tensorrt",
        "precision": "fp16",
        "use_sim_time": "false",
        "start": "benchmark",
    }
    simulation, inference, policy = robot_processes("cart", options)
    assert simulation.parameters["real_time_factor"] == 2.5
    assert simulation.parameters["robot"] == "cart"
    assert simulation.parameters["start"] == "benchmark"
    for process in (inference, policy):
        assert process.parameters["backend"] == "tensorrt"
        assert process.parameters["precision"] == "fp16"
        assert process.parameters["use_sim_time"] is False
    assert simulation.parameters["use_sim_time"] is False
    assert simulation.parameters["publish_clock"] is False


def test_the_page_is_a_process_that_the_robot_can_do_without() -> None:
    options = {"web": "true", "web_port": "8123", "web_host": "0.0.0.0"}
    *robot, page = robot_processes("cart", options)
    assert all(process.vital for process in robot)
    assert not page.vital
    assert page.parameters == {"bundle": "cart", "host": "0.0.0.0", "port": 8123}


def test_the_command_line_quotes_texts_and_not_numbers() -> None:
    options = default_options("cart") | {"bundle": "07"}
    words = command_line(robot_processes("cart", options)[2], options)
    assert "bundle:='07'" in words
    assert "use_sim_time:=true" in words
    assert "__ns:=/cart" in words


def test_infinite_numbers_are_written_as_yaml_has_them() -> None:
    process = Process(name="n", module="m", parameters={"low": [-math.inf, 1.0], "x": math.nan})
    words = command_line(process, default_options("cart"))
    assert "low:=[-.inf, 1.0]" in words
    assert "x:=.nan" in words


@pytest.mark.parametrize(
    "wrong",
    [
        {"backend": "abacus"},
        {"precision": "fp8"},
        {"use_sim_time": "yes"},
        {"real_time_factor": "fast"},
        {"web": "perhaps"},
        {"web": "true", "web_port": "http"},
    ],
)
def test_a_wrong_option_is_refused_by_name(wrong: dict[str, str]) -> None:
    with pytest.raises(FbRosError, match=next(reversed(wrong))):
        robot_processes("cart", wrong)
