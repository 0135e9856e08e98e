"""Engines on disk: found again by their key alone, and never mistaken for one another."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fb_ros.backends import backend_class
from fb_ros.backends.engines import cache as engine_cache
from fb_ros.backends.engines.build import Found, engine_key, find_or_build
from fb_ros.backends.engines.cache import Engine, EngineCache, EngineKey, cache_folder
from fb_ros.backends.engines.cuda import Device
from fb_ros.backends.graphs import POLICY
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.errors import FbRosError
from test.fb_ros.backends.fake_gpu import FakeGpu

TIMINGS = "timings-tensorrt-10.3.0-8.6"
KEY = EngineKey(
    graph="ab" * 32,
    flavour="tensorrt",
    version="10.3.0",
    capability="8.7",
    device="",
    precision="fp32",
    rows=(1, 1),
)
DEVICE = Device("Fake GPU", "8.6")
ENGINE = Engine(plan=b"a plan\nof two lines", description={"layers": []})


@pytest.fixture
def cache(tmp_path: Path) -> EngineCache:
    return EngineCache(tmp_path / "engines")


@pytest.fixture
def stored(cache: EngineCache) -> EngineCache:
    with cache.building(KEY) as storable:
        assert storable
        cache.store(KEY, ENGINE)
    return cache


@pytest.fixture
def bundle(root: Path) -> Bundle:
    return load_bundle(root / "models" / "point_mass")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    gpu = FakeGpu()
    gpu.install(monkeypatch)
    return gpu


def build(bundle: Bundle, cache: EngineCache) -> Found:
    library = backend_class("tensorrt").library
    return find_or_build(
        library, bundle.graph_file(POLICY), DEVICE, cache=cache, progress=lambda phase, share: None
    )


def test_what_was_stored_is_found(stored: EngineCache) -> None:
    assert stored.load(KEY) == ENGINE


@pytest.mark.parametrize(
    "change",
    [
        {"graph": "cd" * 32},
        {"flavour": "tensorrt_rtx"},
        {"version": "10.3.1"},
        {"capability": "8.6"},
        {"device": "Orin"},
        {"precision": "fp16"},
        {"rows": (1, 2)},
        {"recipe": 0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_an_engine_of_another_key_is_never_loaded(
    stored: EngineCache, change: dict[str, Any]
) -> None:
    other = dataclasses.replace(KEY, **change)
    assert stored.load(other) is None
    # Nor where its file was renamed to fit.
    stored.path(KEY).rename(stored.path(other))
    assert stored.load(other) is None


def truncated(content: bytes) -> bytes:
    return content[:-3]


def flipped(content: bytes) -> bytes:
    return content[:-3] + bytes([content[-3] ^ 1]) + content[-2:]


def foreign(content: bytes) -> bytes:
    return b"\x7fELF" + content


def without_header(content: bytes) -> bytes:
    return content.splitlines(keepends=True)[0] + b"[]\n" + ENGINE.plan


@pytest.mark.parametrize(
    "damage", [truncated, flipped, foreign, without_header, lambda content: b""]
)
def test_a_damaged_engine_is_not_loaded_and_built_anew(
    stored: EngineCache,
    bundle: Bundle,
    gpu: FakeGpu,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[bytes], bytes],
) -> None:
    path = stored.path(KEY)
    path.write_bytes(damage(path.read_bytes()))
    assert stored.load(KEY) is None
    assert "is damaged or of something else" in caplog.text

    first = build(bundle, stored)
    path = stored.path(first.key)
    path.write_bytes(damage(path.read_bytes()))
    assert not build(bundle, stored).cached
    assert build(bundle, stored).cached


def test_a_folder_that_cannot_be_written_costs_the_cache_alone(
    bundle: Bundle, gpu: FakeGpu, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    # No mode keeps root from writing; that a file is in the way does.
    (tmp_path / "file").write_text("")
    cache = EngineCache(tmp_path / "file" / "engines")
    assert not build(bundle, cache).cached
    assert not build(bundle, cache).cached
    assert gpu.calls["build"] == 2
    assert "FB_ROS_CACHE_DIR names another folder" in caplog.text


def test_of_two_that_build_at_once_one_builds(
    bundle: Bundle, gpu: FakeGpu, tmp_path: Path
) -> None:
    """Locks are held by open files: two threads stand for two processes."""
    both = threading.Barrier(2)
    found: list[Found] = []

    def work() -> None:
        both.wait()
        found.append(build(bundle, EngineCache(tmp_path / "engines")))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert gpu.calls["build"] == 1
    assert sorted(one.cached for one in found) == [False, True]
    assert not list((tmp_path / "engines").glob("*.partial"))


def test_timings_are_kept_for_the_next_build(
    bundle: Bundle, gpu: FakeGpu, cache: EngineCache
) -> None:
    first = build(bundle, cache)
    cache.path(first.key).unlink()
    build(bundle, cache)
    assert cache.load_extra(TIMINGS) == b"tt"


def test_damaged_timings_cost_their_time_alone(
    bundle: Bundle, gpu: FakeGpu, cache: EngineCache
) -> None:
    first = build(bundle, cache)
    cache.path(first.key).unlink()
    path = cache.folder / TIMINGS
    path.write_bytes(path.read_bytes()[:-1])
    assert build(bundle, cache).engine.plan == first.engine.plan
    assert cache.load_extra(TIMINGS) == b"t"


@pytest.mark.parametrize("kept", [b"unreadable", b"ttt"])
def test_timings_that_the_library_refuses_cost_their_time_alone(
    bundle: Bundle, gpu: FakeGpu, cache: EngineCache, kept: bytes
) -> None:
    cache.folder.mkdir()
    cache.store_extra(TIMINGS, kept)
    gpu.timings_fit = False
    assert not build(bundle, cache).cached
    assert cache.load_extra(TIMINGS) == b"t"


@pytest.mark.parametrize(("flavour", "same"), [("tensorrt", False), ("tensorrt_rtx", True)])
def test_an_engine_of_one_model_of_gpu_is_not_anothers(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, flavour: str, same: bool
) -> None:
    FakeGpu(flavour).install(monkeypatch)
    library, file = backend_class(flavour).library, bundle.graph_file(POLICY)
    one, other = (engine_key(library, file, Device(name, "8.6")) for name in "AB")
    assert (one == other) == same


def test_the_key_follows_the_graphs_content(bundle: Bundle, gpu: FakeGpu, tmp_path: Path) -> None:
    library, file = backend_class("tensorrt").library, bundle.graph_file(POLICY)
    copy = tmp_path / "other_name.onnx"
    copy.write_bytes(file.path.read_bytes())
    before = engine_key(library, file, DEVICE)
    assert engine_key(library, dataclasses.replace(file, path=copy), DEVICE) == before
    copy.write_bytes(copy.read_bytes() + b"\0")
    assert engine_key(library, dataclasses.replace(file, path=copy), DEVICE) != before


def test_without_leave_to_build_nothing_is_built(
    bundle: Bundle, gpu: FakeGpu, cache: EngineCache
) -> None:
    library = backend_class("tensorrt").library
    with pytest.raises(FbRosError, match="fb_ros build-engine --runtime tensorrt"):
        find_or_build(library, bundle.graph_file(POLICY), DEVICE, cache=cache, build=False)
    assert gpu.calls["build"] == 0


def test_a_variable_moves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FB_ROS_CACHE_DIR", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("FB_ROS_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache_folder() == tmp_path / "fb_ros"


@pytest.mark.parametrize("what", ["folder", "engine"])
def test_what_another_user_may_write_is_not_used(
    stored: EngineCache, caplog: pytest.LogCaptureFixture, what: str
) -> None:
    path = stored.folder if what == "folder" else stored.path(KEY)
    path.chmod(0o777)
    assert stored.load(KEY) is None
    assert "another user may write" in caplog.text
    path.chmod(0o755)
    assert stored.load(KEY) == ENGINE


def test_a_folder_that_another_user_may_write_gets_no_engine(cache: EngineCache) -> None:
    cache.folder.mkdir(parents=True)
    cache.folder.chmod(0o777)
    with cache.building(KEY) as storable:
        assert not storable
    with pytest.raises(FbRosError, match="another user may write"):
        cache.require_writable()


def test_engines_and_locks_follow_no_links(
    stored: EngineCache, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path, precious = stored.path(KEY), tmp_path / "precious"
    path.rename(precious)
    path.symlink_to(precious)
    assert stored.load(KEY) is None
    assert "is not used" in caplog.text
    (lock,) = stored.folder.glob("*.lock")
    lock.unlink()
    lock.symlink_to(precious)
    with stored.building(KEY) as storable:
        assert not storable


def test_nobody_waits_for_ever_for_anothers_engine(
    cache: EngineCache, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(engine_cache, "LONGEST_WAIT", 0.2)
    with cache.building(KEY), EngineCache(cache.folder).building(KEY) as storable:
        assert storable
    assert "building besides" in caplog.text


def test_an_engine_that_is_too_large_is_not_read(
    stored: EngineCache, caplog: pytest.LogCaptureFixture
) -> None:
    with stored.path(KEY).open("ab") as file:
        file.truncate(1 << 40)
    assert stored.load(KEY) is None
    assert "at most" in caplog.text
