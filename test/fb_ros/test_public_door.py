"""What a program imports from `fb_ros` itself."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import fb_ros
from fb_ros import FbRosError, GoalPoint, Policy, Reward, RewardInference, load_bundle


def test_every_public_name_is_there() -> None:
    for name in fb_ros.__all__:
        assert getattr(fb_ros, name) is not None
        assert name in dir(fb_ros)


def test_a_name_that_is_not_public_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Pickle'"):
        _ = fb_ros.Pickle


def test_importing_it_loads_nothing_heavy() -> None:
    code = "import sys, fb_ros; print([m for m in ('numpy', 'onnxruntime') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_a_prompt_becomes_a_command_in_five_lines() -> None:
    bundle = load_bundle("point_mass")
    inference, policy = RewardInference(bundle), Policy(bundle)
    observation = np.zeros(bundle.robot.obs_dim, dtype=np.float32)
    for prompt in (Reward(formula="tcp_pos[0] > 0.1"), GoalPoint(point=(0.1, 0.1, 0.01))):
        command = policy.command(observation, inference.infer(prompt).z)
        assert np.all(np.abs(command) <= bundle.robot.action_high)


def test_an_unknown_model_is_refused_with_those_that_ship() -> None:
    with pytest.raises(FbRosError, match="jaco"):
        load_bundle("yaco")


def test_the_version_is_that_of_package_xml(root: Path) -> None:
    text = (root / "package.xml").read_text(encoding="utf-8")
    assert re.findall(r"<version>(.+?)</version>", text) == [fb_ros.__version__]


def run_example(page: Path, last: str = "") -> str:
    """What the page's one example of the public door prints, with a last line of the test's."""
    found = re.findall(
        r"^```python\n(from fb_ros import .*?)^```", page.read_text("utf-8"), re.M | re.S
    )
    (example,) = found
    ran = subprocess.run(
        [sys.executable, "-c", example + last], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_readmes_example_runs_as_it_stands(root: Path) -> None:
    printed = run_example(root / "README.md", "print(command.shape)")
    assert "predicted_reward" in printed
    assert printed.splitlines()[-1] == "(9,)"


def test_the_example_of_the_page_on_prompts_runs_as_it_stands(root: Path) -> None:
    assert "predicted_reward" in run_example(root / "docs" / "prompts.md")
