"""Bags as people have them give the right data, or one line that says what is wrong."""

from __future__ import annotations

import dataclasses
import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import CompressionMode, StoragePlugin

from fb_ros.cli import main
from fb_ros.errors import FbRosError
from test.training.data.recorded import (
    COMMANDS,
    JOINTS,
    PERIOD,
    POSE,
    START,
    TYPES,
    Said,
    circle,
    clean,
    converted,
    header,
    joint_state,
    mapping_with,
    pose,
    steps,
    write,
)
from training.data.episode import Episode


def follows_the_circle(episode: Episode, first: int) -> None:
    """The rows are those of the recording from row `first` on, and so are the commands."""
    rows = np.arange(first, first + episode.steps + 1)
    x, y = circle(rows)  # type: ignore[arg-type]
    np.testing.assert_allclose(episode.observation[:, :2], np.stack([x, y], 1), atol=1e-6)
    np.testing.assert_allclose(episode.action[1:, 0], 1e-3 * rows[:-1], atol=1e-6)


def changed(said: list[Said], topic: str, row: int, **fields: Any) -> list[Said]:
    """The same with one message of a topic changed."""
    place = [index for index, one in enumerate(said) if one.topic == topic][row]
    message = dataclasses.replace(said[place].message, **fields)
    return [*said[:place], dataclasses.replace(said[place], message=message), *said[place + 1 :]]


@pytest.mark.parametrize("topic", [JOINTS, POSE, COMMANDS])
@pytest.mark.parametrize("row", [0, 17, 39])
def test_a_sample_that_is_no_number_splits_and_is_counted(
    tmp_path: Path, topic: str, row: int
) -> None:
    wrong: dict[str, Any] = {
        JOINTS: {"velocity": np.array([np.nan, 0.0])},
        POSE: {"pose": pose(0, (np.inf, 0.0, 0.0)).pose},
        COMMANDS: {"data": np.array([0.0, 1e300])},
    }[topic]
    bag = write(tmp_path / "bag", changed(clean(), topic, row, **wrong))
    episodes, result = converted(bag)
    lost = {JOINTS: row, POSE: row, COMMANDS: row + 1}[topic]
    expected = [(0, lost - 1), (lost + 1, 39)] if topic != COMMANDS else [(0, row), (row + 1, 39)]
    kept = [(first, last) for first, last in expected if last > first]
    assert steps(episodes) == [last - first for first, last in kept]
    for episode, (first, _) in zip(episodes, kept, strict=True):
        follows_the_circle(episode, first)
    assert [one["kind"] for one in result["found"]] == ["left_out"]
    assert "1 of 40 messages left out" in result["found"][0]["text"]


def test_a_message_that_lacks_a_joint_splits(tmp_path: Path) -> None:
    part = {"name": ["root_x"], "position": np.zeros(1), "velocity": np.zeros(1)}
    episodes, result = converted(write(tmp_path / "bag", changed(clean(), JOINTS, 20, **part)))
    assert steps(episodes) == [19, 18]
    follows_the_circle(episodes[1], 21)
    assert "1 messages of root_x alone" in result["found"][0]["text"]


def test_names_in_another_order_are_matched_in_states_and_commands(tmp_path: Path) -> None:
    """Several publishers, each with an order of its own."""
    said = []
    for row, one in enumerate(clean()):
        if one.topic == JOINTS and row % 2:
            message = one.message
            turned = {
                part: getattr(message, part)[::-1].copy() for part in ("position", "velocity")
            }
            one.message = dataclasses.replace(message, name=message.name[::-1], **turned)
        if one.topic == COMMANDS:
            x, y = one.message.data
            order = [("root_x", x), ("root_y", y)][:: -1 if row % 4 else 1]
            names, efforts = zip(*order, strict=True)
            one.message = joint_state(0, names, (), (), efforts)
        said.append(one)
    command = {"topic": COMMANDS, "field": "effort", "names": "name"}
    episodes, _ = converted(write(tmp_path / "bag", said), mapping_with(action=command))
    follows_the_circle(episodes[0], 0)
    np.testing.assert_allclose(episodes[0].action[:, 1], -episodes[0].action[:, 0])
    for one in said:
        if one.topic == COMMANDS:
            one.message = dataclasses.replace(one.message, name=["x", "y"])
    with pytest.raises(FbRosError, match="/pm/commands: action lacks root_x; it has x, y"):
        converted(write(tmp_path / "other", said), mapping_with(action=command))


def shifted(said: list[Said], by: int, stamps: bool = True) -> list[Said]:
    """The same by a clock that is `by` nanoseconds ahead."""
    moved = []
    for one in said:
        message = one.message
        if stamps and hasattr(message, "header"):
            stamp = message.header.stamp
            time = stamp.sec * 10**9 + stamp.nanosec + by
            message = dataclasses.replace(message, header=header(time))
        moved.append(Said(one.topic, one.received + by, message))
    return moved


@pytest.mark.parametrize("plugin", list(StoragePlugin))
@pytest.mark.parametrize("by", [-5 * 10**9 - 3 * 10**7, -(10**9), -START, 4 * 10**17, 7 * 10**8])
def test_an_episode_ends_where_the_clock_was_set(
    tmp_path: Path, by: int, plugin: StoragePlugin
) -> None:
    """A simulation's reset, NTP, and a computer that begins in 1970."""
    said = clean()
    bag = write(tmp_path / "bag", [*said[:60], *shifted(said[60:], by)], plugin)
    episodes, result = converted(bag)
    assert steps(episodes) == [19, 19]
    # By time, and so not always in the order of recording.
    for episode in episodes:
        follows_the_circle(episode, 0 if episode.observation[0, 1] > 0.19 else 20)
    if by < 0 or by > 10**15:
        assert {one["kind"] for one in result["found"]} & {"clock", "order"}


def test_times_of_receiving_at_another_rate_are_not_guessed_at(tmp_path: Path) -> None:
    said = [Said(one.topic, START + (one.received - START) // 2, one.message) for one in clean()]
    bag = write(tmp_path / "bag", said)
    with pytest.raises(
        FbRosError, match=r"stamps run over 3\.900 s .* over 1\.950 s.*times: head"
    ):
        converted(bag)
    episodes, _ = converted(bag, mapping_with(times="header"))
    assert steps(episodes) == [39]
    follows_the_circle(episodes[0], 0)


def test_messages_out_of_order_are_put_in_order(tmp_path: Path) -> None:
    said = clean()
    rng = np.random.default_rng(0)
    for _ in range(5):
        place = int(rng.integers(len(said) - 20))
        said.insert(place + int(rng.integers(1, 20)), said.pop(place))
    episodes, result = converted(write(tmp_path / "bag", said))
    assert steps(episodes) == [39]
    follows_the_circle(episodes[0], 0)
    assert {one["kind"] for one in result["found"]} == {"order"}


def split(folder: Path, parts: list[list[Said]], plugin: StoragePlugin) -> Path:
    """A bag in several files, without metadata."""
    end = "mcap" if plugin == StoragePlugin.MCAP else "db3"
    folder.mkdir()
    for number, part in enumerate(parts):
        one = write(folder.with_name(f"{folder.name}_part_{number}"), part, plugin)
        (one / f"{one.name}.{end}").rename(folder / f"run_{number}.{end}")
    return folder


@pytest.mark.parametrize("plugin", list(StoragePlugin))
def test_a_split_bag_without_metadata_is_read_in_order(
    tmp_path: Path, plugin: StoragePlugin
) -> None:
    said = clean(60)
    parts = [said[index : index + 15] for index in range(0, 180, 15)]  # run_10 behind run_9
    bag = split(tmp_path / "bag", parts, plugin).rename(tmp_path / "run #3 100% größe?")
    episodes, _ = converted(bag)
    assert steps(episodes) == [59]
    follows_the_circle(episodes[0], 0)


def test_files_listed_out_of_order_are_read_by_time(tmp_path: Path) -> None:
    said = clean()
    bag = split(tmp_path / "bag", [said[60:], said[:60]], StoragePlugin.MCAP)
    (bag / "metadata.yaml").write_text(
        json.dumps({"rosbag2_bagfile_information": {"relative_file_paths": sorted_names(bag)}})
    )
    episodes, _ = converted(bag)
    assert steps(episodes) == [39]
    (bag / "run_0.mcap").rename(tmp_path / "elsewhere.mcap")
    with pytest.raises(FbRosError, match=r"lacks run_0\.mcap, which its metadata.yaml lists"):
        converted(shutil.copytree(bag, tmp_path / "lacking"))


def sorted_names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if one.suffix in (".mcap", ".db3"))


@pytest.mark.parametrize("plugin", list(StoragePlugin))
@pytest.mark.parametrize("mode", [CompressionMode.FILE, CompressionMode.MESSAGE])
def test_compressed_bags_are_read(
    tmp_path: Path, plugin: StoragePlugin, mode: CompressionMode
) -> None:
    bag = write(tmp_path / "bag", clean(), plugin, mode)
    episodes, _ = converted(bag)
    follows_the_circle(episodes[0], 0)
    assert steps(episodes) == [39]
    (bag / "metadata.yaml").unlink()
    again = converted(bag.rename(tmp_path / "without metadata"))
    assert steps(again[0]) == [39]


def test_a_log_beside_a_database_is_read_and_left_alone(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", clean(), StoragePlugin.SQLITE3)
    file = bag / "bag.db3"
    database = sqlite3.connect(file)
    database.execute("PRAGMA journal_mode=wal")
    rows = database.execute("SELECT * FROM messages WHERE id > 30").fetchall()
    database.execute("DELETE FROM messages WHERE id > 30")
    database.commit()
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.executemany("INSERT INTO messages VALUES (?, ?, ?, ?)", rows)
    database.commit()
    left = shutil.copytree(
        bag, tmp_path / "killed"
    )  # With the log, as a killed recorder leaves it.
    database.close()
    before = {one.name: one.read_bytes() for one in left.iterdir()}
    assert len(before["bag.db3-wal"]) > 0
    episodes, _ = converted(left)
    assert steps(episodes) == [39]
    assert {one.name: one.read_bytes() for one in left.iterdir()} == before
    (left / "bag.db3-wal").unlink()
    with pytest.raises(FbRosError, match=r"metadata\.yaml counts 40 messages on /pm/.*hold 10"):
        converted(left.rename(tmp_path / "lost"))


@pytest.mark.parametrize("damage", ["flip", "cut", "zstd"])
@pytest.mark.parametrize("plugin", list(StoragePlugin))
def test_damage_is_one_line(tmp_path: Path, damage: str, plugin: StoragePlugin) -> None:
    compression = CompressionMode.FILE if damage == "zstd" else CompressionMode.NONE
    bag = write(tmp_path / "bag", clean(200), plugin, compression)
    file = next(one for one in bag.iterdir() if one.suffix != ".yaml")
    data = bytearray(file.read_bytes())
    if damage == "cut":
        data = data[: len(data) * 2 // 3]
    else:
        data[len(data) // 2 : len(data) // 2 + 40] = b"\xff" * 40
    file.write_bytes(data)
    with pytest.raises(FbRosError) as refusal:
        converted(bag)
    assert "\n" not in str(refusal.value)
    assert str(bag) in str(refusal.value)


def test_what_nobody_can_read_is_named_with_topic_and_type(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", clean(), StoragePlugin.SQLITE3)
    database = sqlite3.connect(bag / "bag.db3")
    database.execute("UPDATE topics SET type='my_msgs/msg/Command' WHERE name='/pm/commands'")
    database.execute("DELETE FROM message_definitions")
    database.commit()
    database.close()
    with pytest.raises(FbRosError, match=r"/pm/commands: its messages \(my_msgs/msg/Command\) .*"):
        converted(bag)
    database = sqlite3.connect(bag / "bag.db3")
    database.execute("UPDATE topics SET serialization_format='json' WHERE name='/pm/tcp_pose'")
    database.commit()
    database.close()
    with pytest.raises(FbRosError, match=r"/pm/tcp_pose: its messages \(.*\) are json, not CDR"):
        converted(bag.rename(tmp_path / "json"))


def test_a_topic_in_the_way_is_named(tmp_path: Path) -> None:
    slow = [one for index, one in enumerate(clean(100)) if one.topic != POSE or index % 15 == 1]
    with pytest.raises(FbRosError, match=r"tcp_pose is silent for 0\.5 s, longest_gap is 0\.3 s"):
        converted(write(tmp_path / "slow", slow))
    every_other = [one for index, one in enumerate(clean()) if one.topic != POSE or index % 6 == 1]
    bag = write(tmp_path / "bag", every_other)
    with pytest.raises(FbRosError, match=r"tcp_pose speaks every 0\.2 s.*`longest_gap`"):
        converted(bag)
    assert steps(converted(bag, mapping_with(longest_gap=0.25))[0]) == [38]


def test_frames_and_orientations_are_held_to_what_the_robot_takes(tmp_path: Path) -> None:
    said = clean()
    framed = changed(said, POSE, 3, header=header(START + 3 * PERIOD, "base_link"))
    bag = write(tmp_path / "bag", framed)
    with pytest.raises(FbRosError, match="tcp_pose is in frame 'base_link', expected 'world'"):
        converted(bag)


def test_numbers_that_do_not_go_together_are_doubted(tmp_path: Path) -> None:
    said = clean()
    for one in said:
        if one.topic == JOINTS:
            one.message = dataclasses.replace(one.message, velocity=one.message.velocity * 57.3)
    bag = write(tmp_path / "bag", said)
    report = tmp_path / "report.json"
    with pytest.raises(FbRosError, match=r"root_x moves by 0\.0.* its velocities.* --trust"):
        converted(bag, report=report)
    found = json.loads(report.read_text())
    assert "doubt" in {one["kind"] for one in found["found"]}
    assert "--trust" in found["refused"]
    assert steps(converted(bag, trust=True)[0]) == [39]
    # Inspection fails where conversion refuses.
    words = ["data", "inspect", str(bag), "--robot", "point_mass"]
    words += ["--mapping", str(tmp_path / "map of bag.yaml")]
    assert main(words) == 1
    assert main([*words, "--trust"]) == 0


def test_joint_states_in_parts_are_merged(tmp_path: Path) -> None:
    said = []
    for one in clean():
        if one.topic != JOINTS:
            said.append(one)
            continue
        message = one.message
        for index, name in enumerate(message.name):
            part = {part: getattr(message, part)[[index]] for part in ("position", "velocity")}
            said.append(
                Said(JOINTS, one.received, dataclasses.replace(message, name=[name], **part))
            )
    episodes, _ = converted(write(tmp_path / "bag", said))
    assert steps(episodes) == [39]
    follows_the_circle(episodes[0], 0)
    apart = [dataclasses.replace(one) for one in said]
    for one in apart:
        if one.topic == JOINTS:
            one.topic = "/pm/" + one.message.name[0]
    topics = ["/pm/root_x", "/pm/root_y"]
    two = {
        f"joint_{part}": {"topic": list(topics), "field": part, "names": "name"}
        for part in ("position", "velocity")
    }
    follows_the_circle(converted(write(tmp_path / "apart", apart), mapping_with(**two))[0][0], 0)


def test_velocities_are_derived_where_the_mapping_says_so(tmp_path: Path) -> None:
    said = clean()
    for one in said:
        if one.topic == JOINTS:
            one.message = dataclasses.replace(one.message, velocity=np.zeros(0))
    bag = write(tmp_path / "bag", said)
    with pytest.raises(FbRosError, match="velocity holds 0 numbers for 2 names"):
        converted(bag)
    derived = {"derived_from": "joint_position"}
    episodes, _ = converted(bag, mapping_with(joint_velocity=derived))
    assert steps(episodes) == [38]
    moved = np.diff(episodes[0].observation[:, :2], axis=0) / 0.1
    np.testing.assert_allclose(episodes[0].observation[1:, 3:5], moved, atol=1e-5)


def test_a_tool_is_found_through_the_transforms(tmp_path: Path) -> None:
    def transform(stamp: int, parent: str, child: str, x: float, y: float, z: float) -> Any:
        return TYPES["geometry_msgs/msg/TransformStamped"](
            header(stamp, parent),
            child,
            TYPES["geometry_msgs/msg/Transform"](
                TYPES["geometry_msgs/msg/Vector3"](x, y, z),
                TYPES["geometry_msgs/msg/Quaternion"](0.0, 0.0, 0.0, 1.0),
            ),
        )

    message = TYPES["tf2_msgs/msg/TFMessage"]
    static = message([transform(START, "slider", "tool", 0.0, 0.0, 0.01)])
    said = [Said("/tf_static", START, static)]
    for one in clean():
        if one.topic == POSE:
            place = one.message.pose.position
            moving = transform(one.received, "world", "slider", place.x, place.y, 0.0)
            one = Said("/tf", one.received, message([moving]))
        said.append(one)
    bag = write(tmp_path / "bag", said)
    episodes, _ = converted(bag, mapping_with(tcp_position={"tf": "tool"}))
    assert steps(episodes) == [39]
    follows_the_circle(episodes[0], 0)
    with pytest.raises(FbRosError, match="no way from frame hand to world; it ends at hand"):
        converted(bag, mapping_with(tcp_position={"tf": "hand"}))


def test_trajectories_are_commands(tmp_path: Path) -> None:
    said = []
    for one in clean():
        if one.topic == COMMANDS:
            point = TYPES["trajectory_msgs/msg/JointTrajectoryPoint"](
                positions=np.zeros(0),
                velocities=np.zeros(0),
                accelerations=np.zeros(0),
                effort=one.message.data[::-1].copy(),
                time_from_start=TYPES["builtin_interfaces/msg/Duration"](0, PERIOD),
            )
            one.message = TYPES["trajectory_msgs/msg/JointTrajectory"](
                header(0), ["root_y", "root_x"], [point]
            )
        said.append(one)
    action = {"topic": COMMANDS, "field": "points.effort", "names": "joint_names"}
    episodes, _ = converted(write(tmp_path / "bag", said), mapping_with(action=action))
    assert steps(episodes) == [39]
    follows_the_circle(episodes[0], 0)


def test_stamps_of_zero_are_no_stamps(tmp_path: Path) -> None:
    said = clean()
    for one in said:
        if one.topic == JOINTS:
            one.message = dataclasses.replace(one.message, header=header(0))
    episodes, _ = converted(write(tmp_path / "bag", said))
    assert steps(episodes) == [39]


def test_a_message_that_is_cut_short_is_named(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", clean(), StoragePlugin.SQLITE3)
    database = sqlite3.connect(bag / "bag.db3")
    database.execute("UPDATE messages SET data=substr(data, 1, 30) WHERE id=20")
    database.commit()
    database.close()
    with pytest.raises(FbRosError, match=r"at 17000000.* s: /pm/.*: a message is no "):
        converted(bag)
