"""Data from elsewhere: ExORL's folders, D4RL's and Minari's files, a robot's own bags."""

from __future__ import annotations

import dataclasses
import json
import struct
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import torch
import yaml
from dm_control import suite
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from fb_ros.cli import main
from fb_ros.errors import FbRosError
from sim.robots.registry import make_environment
from training.collecting.collect_config import CollectConfig
from training.commands.collect import collect
from training.commands.convert_data import ConvertConfig, convert
from training.data.bags.mapping import read_mapping
from training.data.data import Transitions
from training.data.episode import Episode, load_episode

SPEC = make_environment("point_mass").spec


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    collect(
        CollectConfig(
            robot="point_mass", out=folder, episodes=4, episode_steps=20, seed=3, workers=1
        )
    )
    return folder


@pytest.fixture(scope="module")
def episodes(ours: Path) -> list[Episode]:
    return [load_episode(path) for path in sorted(ours.glob("episode_*.npz"))]


def converted(folder: Path) -> list[Episode]:
    return [load_episode(path) for path in sorted(folder.glob("episode_*.npz"))]


def assert_same(found: Episode, expected: Episode) -> None:
    for name in ("observation", "action", "discount", "features"):
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), atol=1e-6, err_msg=name
        )


def test_exorls_compressed_files_are_read_through_their_physics(
    ours: Path, episodes: list[Episode], tmp_path: Path
) -> None:
    for index, episode in enumerate(episodes):
        np.savez_compressed(
            tmp_path / f"episode_{index:06d}_{episode.steps}.npz",
            # dm_control's own layout: position and velocity.
            observation=episode.physics.astype(np.float32),
            action=episode.action,
            reward=np.ones((episode.steps + 1, 4), np.float32),
            discount=episode.discount,
            physics=episode.physics,
        )
    exorl, own = Transitions((tmp_path,), SPEC), Transitions((ours,), SPEC)
    batches = [data.sample(50, torch.Generator().manual_seed(1)) for data in (exorl, own)]
    for name in ("observation", "action", "next_features", "discount"):
        torch.testing.assert_close(getattr(batches[0], name), getattr(batches[1], name))


def write_d4rl(path: Path, episodes: list[Episode], *, follows: bool) -> None:
    """The first episode ends in a terminal state, the others run out of time."""
    with h5py.File(path, "w") as file:
        observation = np.concatenate([episode.observation[:-1] for episode in episodes])
        ends = np.cumsum([episode.steps for episode in episodes]) - 1
        terminals, timeouts = np.zeros((2, len(observation)), bool)
        terminals[ends[0]] = True
        timeouts[ends[1:]] = True
        file["observations"] = observation
        file["actions"] = np.concatenate([episode.action[1:] for episode in episodes])
        file["rewards"] = np.arange(len(observation), dtype=np.float32)
        file["terminals"], file["timeouts"] = terminals, timeouts
        if follows:
            file["next_observations"] = np.concatenate([one.observation[1:] for one in episodes])


@pytest.mark.parametrize("follows", [True, False])
def test_d4rls_terminals_end_and_timeouts_do_not(
    episodes: list[Episode], tmp_path: Path, follows: bool
) -> None:
    write_d4rl(tmp_path / "data.hdf5", episodes, follows=follows)
    result = convert(
        ConvertConfig(sources=(tmp_path / "data.hdf5",), out=tmp_path / "out", robot="point_mass")
    )
    found = converted(tmp_path / "out")
    assert [episode.discount[-1, 0] for episode in found] == [0.0, 1.0, 1.0, 1.0]
    assert all(np.all(episode.discount[:-1] == 1.0) for episode in found)
    np.testing.assert_array_equal(found[0].reward[1:4, 0], [0.0, 1.0, 2.0])
    if follows:
        for one, expected in zip(found[1:], episodes[1:], strict=True):
            assert_same(one, expected)
    else:
        # The state after a timeout's last action is not stored: that action is left out.
        assert [one.steps for one in found] == [20, 19, 19, 19]
        assert len(result["notes"]) == 1
        np.testing.assert_array_equal(found[0].observation[-1], found[0].observation[-2])


def test_minaris_terminations_end_and_truncations_do_not(
    episodes: list[Episode], tmp_path: Path
) -> None:
    # Where Minari keeps it within the folder of a data set.
    (tmp_path / "set" / "data").mkdir(parents=True)
    with h5py.File(tmp_path / "set" / "data" / "main_data.hdf5", "w") as file:
        # Eleven, so that their order by name is not their order by number.
        for number in range(11):
            episode = episodes[number % 4]
            group = file.create_group(f"episode_{number}")
            group.attrs["id"] = number
            group["observations"] = episode.observation
            group["actions"] = episode.action[1:]
            group["rewards"] = np.full(episode.steps, float(number))
            ended = np.arange(episode.steps) == episode.steps - 1
            group["terminations"] = ended & (number == 2)
            group["truncations"] = ended & (number != 2)
    convert(ConvertConfig(sources=(tmp_path / "set",), out=tmp_path / "out", robot="point_mass"))
    found = converted(tmp_path / "out")
    assert [one.reward[1, 0] for one in found] == list(range(11))
    assert [one.discount[-1, 0] for one in found] == [float(n != 2) for n in range(11)]
    assert_same(found[9], episodes[1])


MAPPING = {
    "state": {
        "joint_position": {"topic": "/pm/joint_states", "field": "position", "names": "name"},
        "joint_velocity": {"topic": "/pm/joint_states", "field": "velocity", "names": "name"},
        "tcp_position": {"topic": "/pm/tcp_pose", "field": "pose.position"},
    },
    "action": {"topic": "/pm/commands", "field": "data"},
    "joints": {"root_x": "slide_x", "root_y": "slide_y"},
    "terminal": {"topic": "/pm/ended", "field": "data"},
}


def state_with(**entries: dict[str, str]) -> dict[str, object]:
    """The mapping's state with other entries for some sources."""
    return {"state": {**MAPPING["state"], **entries}}  # type: ignore[dict-item]


def write_bag(path: Path, episodes: list[Episode], plugin: StoragePlugin) -> None:
    """What a robot's topics say, two seconds of silence between episodes."""
    store = get_typestore(Stores.ROS2_JAZZY)
    types = {
        "/pm/joint_states": "sensor_msgs/msg/JointState",
        "/pm/tcp_pose": "geometry_msgs/msg/PoseStamped",
        "/pm/commands": "std_msgs/msg/Float64MultiArray",
        "/pm/ended": "std_msgs/msg/Bool",
    }
    t = store.types

    def header(stamp: int) -> object:
        time = t["builtin_interfaces/msg/Time"](sec=stamp // 10**9, nanosec=stamp % 10**9)
        return t["std_msgs/msg/Header"](stamp=time, frame_id="world")

    with Writer(path, version=9, storage_plugin=plugin) as writer:
        connections = {
            topic: writer.add_connection(topic, name, typestore=store)
            for topic, name in types.items()
        }

        def say(topic: str, stamp: int, message: object) -> None:
            raw = store.serialize_cdr(message, types[topic])
            writer.write(connections[topic], stamp, raw)

        layout = t["std_msgs/msg/MultiArrayLayout"](dim=[], data_offset=0)
        start = 10**9
        for number, episode in enumerate(episodes):
            for row in range(episode.steps + 1):
                stamp = start + row * 10**8
                x, y = episode.physics[row, :2]
                say(
                    "/pm/joint_states",
                    stamp,
                    t["sensor_msgs/msg/JointState"](
                        header=header(stamp),
                        name=["slide_y", "slide_x"],
                        position=np.array([y, x]),
                        velocity=episode.physics[row, [3, 2]],
                        effort=np.zeros(0),
                    ),
                )
                position = episode.observation[row, :3].astype(float)
                pose = t["geometry_msgs/msg/Pose"](
                    position=t["geometry_msgs/msg/Point"](*position),
                    orientation=t["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0),
                )
                say(
                    "/pm/tcp_pose",
                    stamp,
                    t["geometry_msgs/msg/PoseStamped"](header=header(stamp), pose=pose),
                )
                after = min(row + 1, episode.steps)
                command = SPEC.command_from_action(episode.action[after].astype(float))
                say(
                    "/pm/commands",
                    stamp + 10**6,
                    t["std_msgs/msg/Float64MultiArray"](layout=layout, data=command),
                )
            if number == 1:
                say("/pm/ended", stamp, t["std_msgs/msg/Bool"](data=True))
            start = stamp + 2 * 10**9


def convert_bag(folder: Path, mapping: dict[str, object]) -> None:
    """Converts `bag` in the folder into `out`."""
    (folder / "map.yaml").write_text(yaml.safe_dump(mapping))
    convert(
        ConvertConfig(
            sources=(folder / "bag",),
            out=folder / "out",
            robot="point_mass",
            mapping=folder / "map.yaml",
        )
    )


@pytest.mark.parametrize("plugin", list(StoragePlugin))
def test_a_robots_own_recording_becomes_data(
    episodes: list[Episode], tmp_path: Path, plugin: StoragePlugin
) -> None:
    write_bag(tmp_path / "bag", episodes[:3], plugin)
    convert_bag(tmp_path, MAPPING)
    found = converted(tmp_path / "out")
    assert [one.discount[-1, 0] for one in found] == [1.0, 0.0, 1.0]
    for one, expected in zip(found, episodes, strict=False):
        assert_same(one, dataclasses.replace(expected, discount=one.discount))
    assert len(Transitions((tmp_path / "out",), SPEC)) == sum(one.steps for one in found)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"state": {}}, "state is"),
        ({"state": {"tcp_velocity": {}}}, "possible in it: joint_position"),
        ({"action": {"topic": "/x"}}, "expected a topic, a field"),
        ({"action": {"topic": "/x", "field": "data"}}, "has no topic /x .* it has /pm/commands"),
        ({"action": {"topic": "/pm/commands", "field": "layout.x"}}, "have no layout.x"),
        ({"commands": {}}, "expected state and action"),
        ({"longest_gap": -1}, "above 0"),
        ({"longest_gap": True}, "longest_gap is True, expected seconds above 0"),
        ({"joints": {"joint_99": "slide_x"}}, "joints name joint_99; robot point_mass has root_x"),
        ({"joints": {"root_x": "slide_y", "root_y": "slide_y"}}, "with the one name slide_y"),
        (
            {"terminal": {"topic": "/pm/commands", "field": "data"}},
            "/pm/commands: data holds 2 numbers, terminal has one: true or false",
        ),
        (
            {"terminal": {"topic": "/pm/tcp_pose", "field": "pose.position.x"}},
            "pose.position.x holds .*, terminal is true or false",
        ),
        (
            {"state": {"tcp_position": MAPPING["state"]["tcp_position"]}},  # type: ignore[index]
            "says nothing of joint_velocity",
        ),
        (
            {"state": {"joint_velocity": {"topic": "/pm/joint_states", "field": "velocity"}}},
            "needs names",
        ),
        (
            state_with(
                joint_position={"topic": "/pm/joint_states", "field": "position", "names": ""}
            ),
            "joint_position needs names",
        ),
        (
            state_with(
                joint_velocity={"topic": "/pm/joint_states", "field": "effort", "names": "name"}
            ),
            "/pm/joint_states: effort holds 0 numbers for 2 names",
        ),
        (
            state_with(
                joint_position={
                    "topic": "/pm/joint_states",
                    "field": "position",
                    "names": "header",
                }
            ),
            "/pm/joint_states: header does not hold names",
        ),
        (
            state_with(tcp_position={"topic": "/pm/tcp_pose", "field": "pose.orientation"}),
            "pose.orientation holds 4 numbers, tcp_position has 3",
        ),
    ],
)
def test_a_mapping_that_does_not_fit_is_refused(
    episodes: list[Episode], tmp_path: Path, change: dict[str, object], expected: str
) -> None:
    write_bag(tmp_path / "bag", episodes[:1], StoragePlugin.MCAP)
    with pytest.raises(FbRosError, match=expected):
        convert_bag(tmp_path, {**MAPPING, **change})
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize("name", ["data.hdf5", "bag.mcap", "bag.db3"])
def test_a_truncated_file_is_refused_in_one_line(
    episodes: list[Episode], tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(MAPPING))
    if name == "data.hdf5":
        path = tmp_path / name
        write_d4rl(path, episodes, follows=True)
        source = path
    else:
        source = tmp_path / "bag"
        plugin = StoragePlugin.MCAP if name.endswith("mcap") else StoragePlugin.SQLITE3
        write_bag(source, episodes, plugin)
        path = source / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    words = ["data", "convert", str(source), "--out", str(tmp_path / "out")]
    words += ["--robot", "point_mass", "--mapping", str(tmp_path / "map.yaml")]
    assert main(words) == 1
    said = capsys.readouterr().err.splitlines()
    errors = [line for line in said if "error:" in line]
    assert len(errors) == 1
    assert str(source) in errors[0]
    assert not list(tmp_path.glob("out*"))


def test_mcaps_checksums_are_verified(episodes: list[Episode], tmp_path: Path) -> None:
    write_bag(tmp_path / "bag", episodes[:1], StoragePlugin.MCAP)
    path = tmp_path / "bag" / "bag.mcap"
    written = bytearray(path.read_bytes())
    place, chunk = 8, 6  # Records, of an opcode and a length each, follow eight bytes of magic.
    while written[place] != chunk:
        place += 9 + struct.unpack_from("<Q", written, place + 1)[0]
    # The checksum lies behind two times and a size; 0 is none.
    struct.pack_into("<I", written, place + 9 + 24, 1)
    path.write_bytes(written)
    with pytest.raises(FbRosError, match=r"is not a whole bag .*checksum"):
        convert_bag(tmp_path, MAPPING)


def test_what_cannot_be_trained_on_is_refused_or_left_out(
    episodes: list[Episode], tmp_path: Path
) -> None:
    with h5py.File(tmp_path / "data.hdf5", "w") as file:
        for number, episode in enumerate(episodes):
            group = file.create_group(f"episode_{number}")
            group["observations"], group["actions"] = episode.observation, episode.action[1:]
            group["terminations"] = np.zeros(episode.steps, bool)
            group["truncations"] = np.zeros(episode.steps, bool)
        file["episode_1/observations"][3] = np.nan
        del file["episode_2/actions"]
        file["episode_2/actions"] = episodes[2].action[5:]
    config = ConvertConfig(
        sources=(tmp_path / "data.hdf5",), out=tmp_path / "out", robot="point_mass"
    )
    with pytest.raises(FbRosError, match=r"episode_1: observation holds NaN.* row 3 \(2 such"):
        convert(config)
    assert not list(tmp_path.glob("out*"))
    words = ["data", "convert", str(config.sources[0]), "--out", str(config.out), "--robot"]
    assert main([*words, "point_mass", "--bad", "skip"]) == 0
    left_out = json.loads((config.out / "data.json").read_text())["left_out"]
    assert [entry["episode"] for entry in left_out] == ["episode_1", "episode_2"]
    assert len(converted(config.out)) == 2


def write_minari(path: Path, episodes: list[Episode]) -> None:
    with h5py.File(path, "w") as file:
        for number, episode in enumerate(episodes):
            group = file.create_group(f"episode_{number}")
            group["observations"], group["actions"] = episode.observation, episode.action[1:]
            group["rewards"] = episode.reward[1:, 0]
            group["terminations"] = np.zeros(episode.steps, bool)
            group["truncations"] = np.arange(episode.steps) == episode.steps - 1


@pytest.mark.parametrize(
    ("part", "value", "expected"),
    [
        ("rewards", np.zeros(7), r"rewards have shape \(7,\), expected one for each of its 20"),
        ("rewards", None, "rewards is a group of x, expected an array"),
        ("actions", None, "actions is a group of x, expected an array"),
        ("actions", np.zeros((0, 2)), "it has 21 observations, 0 actions"),
        ("terminations", np.array([b"no"] * 20), "expected numbers"),
        (
            "infos/qpos",
            np.zeros((13, 2)),
            r"infos/qpos has shape \(13, 2\) and infos/qvel \(21, 2",
        ),
        ("", np.zeros(3), "it is an array, expected a group"),
        ("../episode_abc", None, "its name has no number"),
    ],
)
def test_of_a_minari_file_only_the_bad_episode_is_lost(
    episodes: list[Episode],
    tmp_path: Path,
    part: str,
    value: np.ndarray | None,
    expected: str,
) -> None:
    write_minari(tmp_path / "data.hdf5", episodes)
    with h5py.File(tmp_path / "data.hdf5", "a") as file:
        added = part.startswith("..")
        place = part.removeprefix("../") if added else f"episode_1/{part}".rstrip("/")
        if place in file:
            del file[place]
        file[place if value is not None else f"{place}/x"] = (
            np.zeros(4) if value is None else value
        )
        if part.startswith("infos"):
            file["episode_1/infos/qvel"] = np.zeros((21, 2))
    config = ConvertConfig(
        sources=(tmp_path / "data.hdf5",), out=tmp_path / "out", robot="point_mass"
    )
    with pytest.raises(FbRosError, match=f"data.hdf5, episode_.*: .*{expected}"):
        convert(config)
    result = convert(dataclasses.replace(config, bad="skip"))
    name = "episode_abc" if added else "episode_1"
    assert [entry["episode"] for entry in result["left_out"]] == [name]
    assert len(converted(config.out)) == (4 if added else 3)


def test_d4rls_physics_is_read_also_beside_next_observations(
    episodes: list[Episode], tmp_path: Path
) -> None:
    foreign = [dataclasses.replace(one, observation=one.observation[:, :3]) for one in episodes]
    physics = np.concatenate([episode.physics[:-1] for episode in episodes])
    for follows in (True, False):
        path = tmp_path / f"{follows}.hdf5"
        write_d4rl(path, foreign, follows=follows)
        with h5py.File(path, "a") as file:
            file["infos/qpos"], file["infos/qvel"] = physics[:, :2], physics[:, 2:]
        out = tmp_path / f"out_{follows}"
        result = convert(ConvertConfig(sources=(path,), out=out, robot="point_mass"))
        assert len(result["notes"]) == 1
        found = converted(out)
        assert [one.steps for one in found] == [20, 19, 19, 19]
        for one, expected in zip(found, episodes, strict=True):
            np.testing.assert_allclose(one.physics[:-1], expected.physics[: one.steps])
            np.testing.assert_allclose(
                one.observation[:-1], expected.observation[: one.steps], atol=1e-6
            )


@pytest.mark.parametrize("name", ["rewards", "infos/qpos", "infos/qvel"])
def test_d4rls_arrays_of_different_length_are_refused_by_name(
    episodes: list[Episode], tmp_path: Path, name: str
) -> None:
    write_d4rl(tmp_path / "data.hdf5", episodes, follows=False)
    with h5py.File(tmp_path / "data.hdf5", "a") as file:
        for each in ("infos/qpos", "infos/qvel"):
            file[each] = np.zeros((80, 2))
        short = file[name][:-7]
        del file[name]
        file[name] = short
    with pytest.raises(FbRosError, match=rf"{name} has shape \(73.*, expected 80 rows"):
        convert(
            ConvertConfig(
                sources=(tmp_path / "data.hdf5",), out=tmp_path / "out", robot="point_mass"
            )
        )


def test_d4rls_episode_of_one_row_that_leads_nowhere_is_left_out(
    episodes: list[Episode], tmp_path: Path
) -> None:
    write_d4rl(tmp_path / "data.hdf5", episodes, follows=False)
    with h5py.File(tmp_path / "data.hdf5", "a") as file:
        file["timeouts"][40] = True
    config = ConvertConfig(
        sources=(tmp_path / "data.hdf5",), out=tmp_path / "out", robot="point_mass"
    )
    with pytest.raises(FbRosError, match=r"episode 2 \(rows 40 to 40\): .* no transition"):
        convert(config)
    convert(dataclasses.replace(config, bad="skip"))
    assert [one.steps for one in converted(config.out)] == [20, 19, 18, 19]


def test_an_interrupted_conversion_leaves_nothing_behind(
    episodes: list[Episode], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_d4rl(tmp_path / "data.hdf5", episodes, follows=True)

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("training.commands.convert_data.save_episode", interrupted)
    config = ConvertConfig(
        sources=(tmp_path / "data.hdf5",), out=tmp_path / "out", robot="point_mass"
    )
    with pytest.raises(KeyboardInterrupt):
        convert(config)
    assert not list(tmp_path.glob("out*"))


def test_the_shipped_mapping_is_of_all_that_the_arm_is_observed_by(root: Path) -> None:
    mapping = read_mapping(root / "config" / "jaco_bag.yaml")
    spec = make_environment("jaco").spec
    assert set(mapping.state) == {field.source for field in (*spec.observation, *spec.features)}


@pytest.mark.parametrize(("robot", "width"), [("walker", 24), ("cheetah", 17), ("quadruped", 78)])
def test_folders_of_dm_controls_own_layout_train_with_the_robots_spec(
    tmp_path: Path, robot: str, width: int
) -> None:
    theirs: Any = suite.load(robot, "run", task_kwargs={"random": 0})
    spec, rng = theirs.action_spec(), np.random.default_rng(0)
    step = theirs.reset()
    steps, states, actions = [step], [theirs.physics.get_state()], [np.zeros(spec.shape)]
    for _ in range(5):
        actions.append(rng.uniform(-0.8, 0.8, size=spec.shape))
        steps.append(theirs.step(actions[-1]))
        states.append(theirs.physics.get_state())
    observation = np.array(
        [np.concatenate([np.ravel(part) for part in step.observation.values()]) for step in steps]
    )
    assert observation.shape[1] == width
    np.savez_compressed(
        tmp_path / "episode_000000_5.npz",
        observation=observation,
        action=np.array(actions),
        reward=np.array([[step.reward or 0.0] for step in steps]),
        discount=np.ones((6, 1)),
        physics=np.array(states),
    )
    environment = make_environment(robot)
    data = Transitions((tmp_path,), environment.spec)
    features = data.features_at(torch.arange(6)).numpy()
    for row, state in zip(features, states, strict=True):
        environment.set_physics_state(state)
        np.testing.assert_allclose(row, environment.features(), atol=1e-5)
    if robot == "walker":
        # dm_control's own reading of the height, and ours.
        np.testing.assert_allclose(features[:, 2], observation[:, 14], atol=1e-6)
