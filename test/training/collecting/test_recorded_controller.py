"""Recording a controller that a robot has: any ONNX file whose layout is described."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper

from fb_ros.errors import FbRosError
from fb_ros.paths import shipped
from fb_ros.robot.field import layout_slices
from sim.robots.go2 import SPEC, STANCE
from sim.robots.registry import make_environment
from sim.tasks.episode_seed import episode_rng
from training.collecting.collect_config import CollectConfig
from training.collecting.controller_layout import ControllerLayout, read_layout
from training.collecting.controller_script import WalkConfig, correlated, draw_script
from training.collecting.velocity_controller import VelocityController
from training.commands.collect import collect
from training.commands.convert_data import ConvertConfig, convert
from training.data.episode import episode_paths, load_episode


def write_controller(path: Path, inputs: int = 45) -> Path:
    """A controller that puts out its command's first number for every joint."""
    pick = np.zeros((inputs, 12), dtype=np.float32)
    pick[6] = 1.0
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["obs", "pick"], ["actions"])],
        "controller",
        [helper.make_tensor_value_info("obs", TensorProto.FLOAT, [1, inputs])],
        [helper.make_tensor_value_info("actions", TensorProto.FLOAT, [1, 12])],
        [helper.make_tensor("pick", TensorProto.FLOAT, pick.shape, pick.flatten())],
    )
    opsets = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=9), path)
    return path


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_controller(tmp_path_factory.mktemp("controller") / "walk.onnx")


@pytest.fixture(scope="module")
def layout() -> ControllerLayout:
    path = shipped("config", "legged_gym.yaml")
    assert path is not None
    return read_layout(path)


def test_the_controller_sees_its_layout_and_drives_its_joints(
    controller: Path, layout: ControllerLayout
) -> None:
    environment = make_environment("go2")
    environment.reset(episode_rng(0, 0))
    driver = VelocityController(controller, layout, SPEC)
    targets = [
        driver.targets(environment.robot_state(), np.array([1.0, 0.0, 0.0])) for _ in range(30)
    ]
    # The command is approached as slowly as the layout says, and then it is what was asked.
    np.testing.assert_allclose(targets[0], STANCE + 0.05 * layout.output_scale, atol=1e-6)
    np.testing.assert_allclose(targets[-1], STANCE + layout.output_scale, atol=1e-6)


def test_a_layout_that_makes_no_sense_is_refused_in_one_line(
    layout: ControllerLayout, tmp_path: Path
) -> None:
    path = shipped("config", "legged_gym.yaml")
    assert path is not None
    good = yaml.safe_load(path.read_text())
    wrong = [
        {**good, "stance": [0.0]},
        {**good, "observation": [{"read": "smell"}]},
        {**good, "poses": {}},
        {**good, "command_step": [0.0, 1.0, 1.0]},
        {name: value for name, value in good.items() if name != "joints"},
    ]
    for data in wrong:
        bad = tmp_path / "bad.yaml"
        bad.write_text(yaml.safe_dump(data))
        with pytest.raises(FbRosError, match=r"bad\.yaml") as refusal:
            read_layout(bad)
        assert "\n" not in str(refusal.value)


def test_a_controller_of_another_layout_or_robot_is_refused(
    controller: Path, layout: ControllerLayout, tmp_path: Path
) -> None:
    other = write_controller(tmp_path / "other.onnx", inputs=48)
    with pytest.raises(FbRosError, match="takes 48 numbers and gives 12; the layout has 45"):
        VelocityController(other, layout, SPEC)
    with pytest.raises(FbRosError, match="robot point_mass takes"):
        VelocityController(controller, layout, make_environment("point_mass").spec)
    (tmp_path / "text.onnx").write_text("walk!")
    with pytest.raises(FbRosError, match="not a readable ONNX model"):
        VelocityController(tmp_path / "text.onnx", layout, SPEC)


def test_a_script_walks_stands_poses_and_pushes(layout: ControllerLayout) -> None:
    config = WalkConfig(pose_share=0.5, push_share=0.1)
    script = draw_script(np.random.RandomState(0), config, layout, 3000, SPEC.ctrl_dt)
    walks = np.isnan(script.pose[:, 0])
    assert 0.1 < walks.mean() < 0.9
    assert walks[0]
    asked = script.command[walks]
    assert np.all((asked >= layout.command_low) & (asked <= layout.command_high))
    assert np.ptp(asked, axis=0).min() > 0.5
    assert 0.05 < np.any(script.push != 0.0, axis=1).mean() < 0.15
    # Scripted motion is slow: it is about heights and tilts, and not about jumps.
    steps = np.abs(np.diff(script.pose, axis=0))[walks[1:] == walks[:-1]]
    assert np.nanquantile(steps, 0.99) < 0.15


def test_postures_are_held_as_long_as_asked(layout: ControllerLayout) -> None:
    usual = {}
    for seconds in ((0.1, 0.2), (1.0, 2.0)):
        config = WalkConfig(pose_share=1.0, pose_seconds=seconds)
        script = draw_script(np.random.RandomState(0), config, layout, 3000, SPEC.ctrl_dt)
        held = np.all(np.diff(script.pose, axis=0) == 0.0, axis=1)
        runs = np.diff(np.flatnonzero(~np.concatenate([[False], held, [False]])))
        usual[seconds] = np.median(runs[runs > 1]) * SPEC.ctrl_dt
    # If two postures in a row are the same one, the way between them counts, too.
    assert usual[0.1, 0.2] <= 0.22
    assert 1.0 <= usual[1.0, 2.0] <= 2.0


def test_noise_is_of_unit_size_and_remembers_itself() -> None:
    noise = correlated(np.random.RandomState(0), 20_000, 2, 0.8)
    assert noise.std() == pytest.approx(1.0, abs=0.05)
    assert np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1] == pytest.approx(0.8, abs=0.03)


def test_recording_goes_on_where_it_was_and_a_mirror_doubles_it(
    controller: Path, tmp_path: Path
) -> None:
    config = CollectConfig(
        robot="go2",
        method="controller",
        controller=controller,
        out=tmp_path / "walk",
        episodes=2,
        episode_steps=40,
        workers=1,
    )
    assert collect(config)["episodes"] == 2
    first = [load_episode(path) for path in episode_paths(config.out)]
    assert collect(dataclasses.replace(config, episodes=3))["episodes"] == 1
    sent = layout_slices(SPEC.observation)["last_command"]
    for episode in first:
        command = SPEC.command_from_action(episode.action[1:])
        np.testing.assert_allclose(episode.observation[1:, sent], command, atol=1e-5)
        assert episode.discount.min() == 1.0
    with pytest.raises(FbRosError, match="episode_steps 40 and not 41"):
        collect(dataclasses.replace(config, episode_steps=41))

    out = tmp_path / "mirrored"
    convert(ConvertConfig(sources=(config.out,), out=out, robot="go2", mirrored=True))
    image = load_episode(episode_paths(out)[0])
    features = layout_slices(SPEC.features)
    across = features["torso_vel"].start + 1
    np.testing.assert_allclose(image.features[:, across], -first[0].features[:, across], atol=1e-5)
    height = features["torso_height"]
    np.testing.assert_allclose(image.features[:, height], first[0].features[:, height], atol=1e-5)


@pytest.mark.parametrize("wrong", [{"method": "noise"}, {"controller": None}])
def test_a_controller_and_its_method_go_together(
    controller: Path, wrong: dict[str, object]
) -> None:
    given: dict[str, object] = {"method": "controller", "controller": controller}
    with pytest.raises(FbRosError, match="controller goes with the method controller"):
        CollectConfig(robot="go2", **given | wrong)  # type: ignore[arg-type]
