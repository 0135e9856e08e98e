"""Whatever happens to a recording on its way, its transitions are those of the clean one."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fb_ros.errors import FbRosError
from sim.robots.registry import make_environment
from training.data.bags.data import recordings_of
from training.data.bags.mapping import BagMapping, Times, TopicField
from training.data.bags.reading import BagContents
from training.data.bags.tracks import Track
from training.data.findings import Findings

SPEC = make_environment("point_mass").spec
PERIOD = round(SPEC.ctrl_dt * 1e9)
JOINTS = TopicField(topics=("/pm/joint_states",), field="position", names="name")
MAPPING = BagMapping(
    state={
        "joint_position": JOINTS,
        "joint_velocity": dataclasses.replace(JOINTS, field="velocity"),
        "tcp_position": TopicField(topics=("/pm/tcp_pose",), field="pose.position"),
    },
    action=TopicField(topics=("/pm/commands",), field="data"),
)
NAMES = ("root_x", "root_y")
REORDERINGS = ("swap", "shuffle", "blocks")


@dataclasses.dataclass
class Message:
    """One message of a recording, as the file has it."""

    topic: str
    received: int
    stamped: int
    values: tuple[float, ...]


def clean(count: int, seed: int, start: int, stamped_commands: bool) -> list[Message]:
    """Random numbers, so that no two transitions are alike, in the order of recording."""
    rng = np.random.default_rng(seed)
    messages = []
    for row in range(count):
        stamp = start + row * PERIOD
        x, y, vx, vy = rng.uniform(-0.2, 0.2, 4)
        messages.append(Message("joints", stamp + 10**6, stamp, (x, y, vx, vy)))
        messages.append(Message("pose", stamp + 3 * 10**6, stamp, (x, y, 0.01)))
        command = rng.uniform(-0.05, 0.05, 2)
        given = stamp + 4 * 10**6 if stamped_commands else 0
        messages.append(Message("command", stamp + 5 * 10**6, given, tuple(command)))
    return messages


def contents_of(messages: list[Message]) -> BagContents:
    def track(source: str, topic: str, part: slice, names: tuple[str, ...] = ()) -> list[Track]:
        found = [(order, one) for order, one in enumerate(messages) if one.topic == topic]
        if not found:
            return []
        return [
            Track(
                source=source,
                topic=topic,
                names=names,
                order=np.array([order for order, _ in found]),
                received=np.array([one.received for _, one in found]),
                stamped=np.array([one.stamped for _, one in found]),
                values=np.array([one.values[part] for _, one in found]),
            )
        ]

    return BagContents(
        tracks={
            "joint_position": track("joint_position", "joints", slice(0, 2), NAMES),
            "joint_velocity": track("joint_velocity", "joints", slice(2, 4), NAMES),
            "tcp_position": track("tcp_position", "pose", slice(0, 3)),
            "action": track("action", "command", slice(0, 2)),
        },
        chains={},
    )


def transitions(messages: list[Message], times: Times) -> Iterable[tuple[float, ...]]:
    mapping = dataclasses.replace(MAPPING, times=times)
    for one in recordings_of("bag", contents_of(messages), SPEC, mapping, Findings()):
        if one.problem:
            continue
        seen, action = one.arrays["observation"], one.arrays["action"]
        for row in range(len(seen) - 1):
            numbers = np.concatenate([seen[row], action[row + 1], seen[row + 1]])
            yield tuple(np.round(numbers, 9))


CHANGES = st.lists(
    st.tuples(
        st.sampled_from(
            ["drop", "swap", "shuffle", "blocks", "jump", "receive_jump", "repeat", "lose", "zero"]
        ),
        st.integers(0, 2**32 - 1),
    ),
    max_size=4,
)


def step_of_a_clock(rng: np.random.Generator) -> int:
    """Nanoseconds by which a clock is set.

    Whole periods, give or take a quarter, are left out: beside lost messages they leave no trace.
    """
    while True:
        largest = rng.choice([5e7, 3e9, 1.7e18])
        by = int(rng.choice([-1, 1]) * rng.uniform(0.0, largest))
        beyond = abs(by) % PERIOD
        if abs(by) < PERIOD // 4 or PERIOD // 4 < beyond < 3 * PERIOD // 4:
            return by


def change(messages: list[Message], kind: str, seed: int) -> list[Message]:
    rng = np.random.default_rng(seed)
    out = [dataclasses.replace(one) for one in messages]
    place = int(rng.integers(len(out)))
    if kind == "drop":  # Single messages.
        keep = rng.random(len(out)) > rng.choice([0.01, 0.1, 0.3])
        return [one for one, kept in zip(out, keep, strict=True) if kept] or out
    if kind == "lose":  # A part of one topic.
        topic, end = out[place].topic, place + int(rng.integers(1, 60))
        return [
            one for i, one in enumerate(out) if one.topic != topic or not place <= i < end
        ] or out
    if kind == "swap":  # Late messages.
        for _ in range(int(rng.integers(1, 6))):
            first = int(rng.integers(len(out)))
            late = out.pop(first)
            out.insert(min(first + int(rng.integers(1, 30)), len(out)), late)
    if kind == "shuffle":
        rng.shuffle(out)
    if kind == "blocks":  # Files of a split bag in another order.
        parts = [list(part) for part in np.array_split(np.array(out, object), 4)]
        rng.shuffle(parts)
        return [one for part in parts for one in part]
    if kind in ("jump", "receive_jump"):
        by = step_of_a_clock(rng)
        for one in out[place:]:
            one.received += by
            if kind == "jump" and one.stamped:
                one.stamped += by
    if kind == "repeat":
        end = place + int(rng.integers(1, 40))
        return out[:end] + [dataclasses.replace(one) for one in out[place:end]] + out[end:]
    if kind == "zero":
        for one in out[place : place + int(rng.integers(1, 4))]:
            one.stamped = 0
    return out


@settings(max_examples=500, deadline=None)
@given(
    changes=CHANGES,
    second=st.one_of(st.none(), st.integers(-40, -12), st.integers(1, 10)),
    shift=st.integers(0, PERIOD),
    stamped_commands=st.booleans(),
    times=st.sampled_from(["auto", "header", "receive"]),
)
def test_a_changed_recording_has_no_transition_that_the_clean_one_lacks(
    changes: list[tuple[str, int]],
    second: int | None,
    shift: int,
    stamped_commands: bool,
    times: Times,
) -> None:
    start = 100 * 10**9
    messages = clean(40, 1, start, stamped_commands)
    expected = set(transitions(messages, "auto"))
    assert len(expected) == 39
    runs = [messages]
    if second is not None:  # The simulation is reset, or the robot starts again.
        again = clean(40, 2, start + (40 + second) * PERIOD + shift, stamped_commands)
        expected |= set(transitions(again, "auto"))
        runs.append(again)
    # No clock tells of a message that comes late from before a reset, or of files of two runs that
    # follow one another to the millisecond.
    for kind, seed in changes:
        if kind == "swap" or (kind in REORDERINGS and second is None):
            runs = [change(run, kind, seed) for run in runs]
    messages = [one for run in runs for one in run]
    for kind, seed in changes:
        if kind not in REORDERINGS:
            messages = change(messages, kind, seed)
    try:
        found = list(transitions(messages, times))
    except FbRosError:
        return
    assert set(found) <= expected
    if "repeat" not in {kind for kind, _ in changes}:
        assert len(found) == len(set(found))


@settings(max_examples=100, deadline=None)
@given(
    topic=st.sampled_from(["joints", "pose", "command"]),
    row=st.integers(1, 39),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["", "lose", "swap", "shuffle", "jump", "receive_jump"]),
    times=st.sampled_from(["auto", "header", "receive"]),
)
def test_the_clock_of_one_topic_is_not_that_of_the_others(
    topic: str, row: int, seed: int, kind: str, times: Times
) -> None:
    """A camera's computer sets its clock, and the arm's does not."""
    messages = clean(40, 1, 10**18, stamped_commands=True)
    expected = set(transitions(messages, "auto"))
    by = step_of_a_clock(np.random.default_rng(seed))
    for one in [one for one in messages if one.topic == topic][row:]:
        one.stamped += by
    try:
        found = set(transitions(change(messages, kind, seed), times))
    except FbRosError:
        return
    assert found <= expected


def test_the_topic_whose_clock_was_set_is_named() -> None:
    messages = clean(40, 1, 10**18, stamped_commands=True)
    for one in [one for one in messages if one.topic == "pose"][20:]:
        one.stamped -= 5 * PERIOD + 3 * 10**7
    with pytest.raises(FbRosError, match=r"pose: its stamps are set back by 0\.53 s .* at 10000"):
        list(transitions(messages, "auto"))
    assert len(list(transitions(messages, "receive"))) == 37  # An episode ends there.


@pytest.mark.parametrize("kind", ["shuffle", "blocks", "swap", "repeat"])
@pytest.mark.parametrize("times", ["auto", "header", "receive"])
def test_messages_out_of_order_cost_nothing(kind: str, times: Times) -> None:
    messages = clean(40, 1, 10**18, stamped_commands=True)
    expected = list(transitions(messages, "auto"))
    for seed in range(20):
        assert list(transitions(change(messages, kind, seed), times)) == expected
