"""One contract for every inference runtime, and what happens when one does not keep it."""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import logging
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from fb_ros.backends import ENGINE_BACKENDS, ONNXRUNTIME, backend_class, make_backend
from fb_ros.backends.backend import Backend
from fb_ros.backends.engines.cache import EngineCache
from fb_ros.backends.engines.cuda import Cuda
from fb_ros.backends.graphs import GRAPHS, HALF, POLICY, PRECISIONS, TASK_ENCODER, VALUE, Precision
from fb_ros.bundle.backend_contract import BackendContract, policy_inputs
from fb_ros.bundle.bundle import Bundle, load_bundle
from fb_ros.bundle.check_backends import check_backends
from fb_ros.bundle.golden import require_golden
from fb_ros.bundle.policy import BestOfPolicy, Policy
from fb_ros.cli import main
from fb_ros.errors import FbRosError
from test.fb_ros.backends.fake_gpu import FAILED, INSUFFICIENT_DRIVER, OUT_OF_MEMORY, FakeGpu

Open = Callable[..., Backend]


@pytest.fixture(scope="module")
def bundle(root: Path) -> Bundle:
    return load_bundle(root / "models" / "point_mass")


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FB_ROS_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> FakeGpu:
    gpu = FakeGpu()
    gpu.install(monkeypatch)
    return gpu


@pytest.fixture(params=[ONNXRUNTIME, *ENGINE_BACKENDS, "gpu_at_hand"])
def open_graph(
    request: pytest.FixtureRequest, bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> Open:
    """Opens a graph with each backend: the engines' on a GPU in host memory, and on a real one."""
    name = request.param
    if name == "gpu_at_hand":
        for name in ENGINE_BACKENDS:
            try:
                backend_class(name).require_present()
                break
            except FbRosError as error:
                reason = str(error)
        else:
            pytest.skip(reason)
    elif name != ONNXRUNTIME:
        FakeGpu(name).install(monkeypatch)

    def open_graph(graph: str, precision: Precision = "fp32") -> Backend:
        return backend_class(name)(bundle.graph_file(graph, precision=precision))

    return open_graph


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]


class TestContract(BackendContract):
    """Every backend that ships keeps it, in each precision."""


def test_more_rows_than_an_engine_was_built_for_are_refused(bundle: Bundle, gpu: FakeGpu) -> None:
    (case,) = bundle.golden[VALUE]
    loaded = backend_class("tensorrt")(bundle.graph_file(VALUE))
    inputs = {name: np.resize(v, (1025, v.shape[1])) for name, v in case.inputs.items()}
    with pytest.raises(FbRosError, match="built for at most"):
        loaded.run(inputs)


def test_a_policy_step_is_one_launch_and_one_wait(bundle: Bundle, gpu: FakeGpu) -> None:
    loaded = bundle.load_graph(POLICY, "tensorrt")
    gpu.calls.clear()
    for _ in range(10):
        loaded.run(policy_inputs(bundle))
    assert gpu.calls == {"cudaGraphLaunch": 10, "cudaStreamSynchronize": 10}


def test_an_encoding_allocates_nothing_and_waits_once(bundle: Bundle, gpu: FakeGpu) -> None:
    loaded = bundle.load_graph(TASK_ENCODER, "tensorrt")
    gpu.calls.clear()
    loaded.run(bundle.golden[TASK_ENCODER][0].inputs)
    assert gpu.calls == {"cudaMemcpyAsync": 6, "enqueue": 1, "cudaStreamSynchronize": 1}


@pytest.mark.parametrize("call", ["cudaStreamBeginCapture", "cudaGraphInstantiate"])
def test_what_cannot_be_captured_runs_all_the_same(
    bundle: Bundle, gpu: FakeGpu, call: str
) -> None:
    gpu.failing[call] = FAILED
    loaded = bundle.load_graph(POLICY, "tensorrt")
    assert loaded.name == "tensorrt"
    assert "CUDA graph" not in loaded.runtime


def test_memory_is_given_back(bundle: Bundle, gpu: FakeGpu) -> None:
    loaded = bundle.load_graph(POLICY, "tensorrt")
    assert gpu.memory
    del loaded
    gc.collect()
    assert not gpu.memory


def without_bindings(gpu: FakeGpu, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)


def nan(values: np.ndarray) -> np.ndarray:
    return np.full_like(values, np.nan)


def off_by_little(values: np.ndarray) -> np.ndarray:
    return values + np.float32(2e-3)


def of_another_version(values: np.ndarray) -> np.ndarray:
    raise TypeError("incompatible function arguments\nThe following are supported")


FAULTS: dict[str, tuple[Callable[[FakeGpu, pytest.MonkeyPatch], object], str]] = {
    "no bindings": (without_bindings, "cuda-bindings is missing"),
    "no driver": (
        lambda gpu, _: gpu.failing.update(cudaGetDeviceCount=INSUFFICIENT_DRIVER),
        "driver version is insufficient",
    ),
    "no device memory": (
        lambda gpu, _: gpu.failing.update(cudaMalloc=OUT_OF_MEMORY),
        "out of memory",
    ),
    "no host memory": (
        lambda gpu, _: gpu.failing.update(cudaHostAlloc=OUT_OF_MEMORY),
        "out of memory",
    ),
    "operator refused": (
        lambda gpu, _: setattr(gpu, "refused_operator", "Tanh"),
        r"node_of_it \(Tanh\): no importer for this",
    ),
    "build failed": (lambda gpu, _: gpu.failing.update(build=1), "no memory for tactics"),
    "does not run": (lambda gpu, _: setattr(gpu, "enqueue_works", False), "could not run"),
    "another version": (
        lambda gpu, _: setattr(gpu, "spoil", of_another_version),
        "TypeError: incompatible function arguments The",
    ),
    "not a number": (lambda gpu, _: setattr(gpu, "spoil", nan), "wrong by inf"),
    "wrong numbers": (lambda gpu, _: setattr(gpu, "spoil", off_by_little), "wrong by 0.002"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_gpu_that_fails_at_start_leaves_the_robot_on_the_cpu(
    bundle: Bundle,
    gpu: FakeGpu,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: str,
) -> None:
    inject, expected = FAULTS[fault]
    inject(gpu, monkeypatch)
    loaded = bundle.load_graph(POLICY, "tensorrt")
    assert loaded.name == ONNXRUNTIME
    require_golden(loaded, bundle.golden[POLICY], "fp32")
    said = [line for line in warnings(caplog) if "because" in line]
    assert len(said) == 1
    assert "\n" not in said[0]
    assert re.search(expected, said[0]), said[0]
    gc.collect()
    assert not gpu.memory


@pytest.mark.parametrize("call", ["cudaGraphLaunch", "cudaStreamSynchronize"])
def test_a_gpu_that_is_lost_at_work_costs_not_one_action(
    bundle: Bundle, gpu: FakeGpu, caplog: pytest.LogCaptureFixture, call: str
) -> None:
    loaded = bundle.load_graph(POLICY, "tensorrt")
    inputs = policy_inputs(bundle)
    expected = loaded.run(inputs)
    gpu.failing[call] = FAILED
    caplog.clear()
    for _ in range(3):
        for output, before in zip(loaded.run(inputs), expected, strict=True):
            np.testing.assert_allclose(output, before, atol=1e-6)
    assert loaded.name == ONNXRUNTIME
    assert len(warnings(caplog)) == 1
    assert "unknown error" in warnings(caplog)[0]


def test_an_input_that_is_wrong_does_not_cost_the_gpu(bundle: Bundle, gpu: FakeGpu) -> None:
    loaded = bundle.load_graph(POLICY, "tensorrt")
    with pytest.raises(FbRosError):
        loaded.run({})
    assert loaded.name == "tensorrt"


def test_rows_that_the_gpu_has_no_room_for_are_evaluated_on_the_cpu(
    bundle: Bundle, gpu: FakeGpu
) -> None:
    (case,) = bundle.golden[VALUE]
    loaded = bundle.load_graph(VALUE, "tensorrt")
    inputs = {name: np.resize(v, (2000, v.shape[1])) for name, v in case.inputs.items()}
    assert loaded.run(inputs)[0].shape == (2, 2000)
    assert loaded.name == "tensorrt"


def test_auto_takes_a_gpu_whose_engine_is_built_and_builds_none(
    bundle: Bundle, gpu: FakeGpu, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        assert bundle.load_graph(POLICY, "auto").name == ONNXRUNTIME
    assert gpu.calls["build"] == 0
    assert "fb_ros build-engine --runtime tensorrt" in caplog.text
    bundle.load_graph(POLICY, "tensorrt")
    with caplog.at_level(logging.INFO):
        loaded = bundle.load_graph(POLICY, "auto")
    assert loaded.name == "tensorrt"
    assert gpu.calls["build"] == 1
    assert "on Fake GPU (compute capability 8.6), fp32, as a CUDA graph" in caplog.text


def test_a_machine_without_a_gpu_does_not_load_tensorrt(bundle: Bundle) -> None:
    with contextlib.suppress(FbRosError):
        Cuda().device()
        pytest.skip("there is a GPU here")
    # In a process of its own, where no other test has loaded it.
    program = """if True:
        import sys
        from pathlib import Path
        from fb_ros.bundle.bundle import load_bundle
        from fb_ros.bundle.check_backends import present_backends
        from fb_ros.bundle.policy import Policy
        Policy(load_bundle(Path(sys.argv[1])), "auto")
        assert present_backends()[0] == ["onnxruntime"]
        print({"tensorrt", "tensorrt_rtx"}.isdisjoint(sys.modules))
    """
    words = [sys.executable, "-c", program, str(bundle.path)]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout == "True\n"


def test_kernels_that_were_compiled_are_kept(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    FakeGpu("tensorrt_rtx").install(monkeypatch)
    for _ in range(2):
        loaded = bundle.load_graph(POLICY, "tensorrt_rtx")
        gc.collect()
        loaded.run(policy_inputs(bundle))
        assert loaded.name == "tensorrt_rtx"
    (kept,) = cache.glob("*.kernels")
    assert EngineCache().load_extra(kept.name) == b"kernels"


def test_kernels_that_cannot_be_kept_do_not_cost_the_gpu(
    bundle: Bundle, monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    gpu = FakeGpu("tensorrt_rtx")
    gpu.install(monkeypatch)
    gpu.compiled = None
    assert bundle.load_graph(POLICY, "tensorrt_rtx").name == "tensorrt_rtx"
    assert not list(cache.glob("*.kernels"))


def test_outputs_come_in_the_order_of_the_graph(bundle: Bundle, gpu: FakeGpu) -> None:
    """An engine's own may be another, and `scale` is no action."""
    for graph in GRAPHS:
        ours = bundle.load_graph(graph, "tensorrt")
        theirs = bundle.load_graph(graph, ONNXRUNTIME)
        assert ours.name == "tensorrt"
        assert ours.output_names == theirs.output_names
        inputs = bundle.golden[graph][0].inputs
        for one, other in zip(ours.run(inputs), theirs.run(inputs), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)


def test_an_engine_in_the_cache_that_does_not_load_is_built_anew(
    bundle: Bundle, gpu: FakeGpu, caplog: pytest.LogCaptureFixture
) -> None:
    bundle.load_graph(POLICY, "tensorrt")
    gpu.broken_plans = 1
    assert bundle.load_graph(POLICY, "tensorrt").name == "tensorrt"
    assert gpu.calls["build"] == 2
    assert "does not load (of another build); building it again" in caplog.text
    gpu.broken_plans = 2
    assert bundle.load_graph(POLICY, "tensorrt").name == ONNXRUNTIME


def test_what_auto_cannot_load_build_engine_mends(
    bundle: Bundle, gpu: FakeGpu, caplog: pytest.LogCaptureFixture
) -> None:
    words = ["build-engine", "--bundle", str(bundle.path), "--runtime", "tensorrt"]
    assert main(words) == 0
    gpu.broken_plans = 1
    with caplog.at_level(logging.INFO):
        assert bundle.load_graph(POLICY, "auto").name == ONNXRUNTIME
    assert "`fb_ros build-engine --runtime tensorrt` builds it again" in caplog.text
    gpu.broken_plans, built = 1, gpu.calls["build"]
    assert main(words) == 0
    assert gpu.calls["build"] == built + 1
    assert bundle.load_graph(POLICY, "auto").name == "tensorrt"


def test_the_librarys_logger_outlives_every_engine(bundle: Bundle, gpu: FakeGpu) -> None:
    loaded = [bundle.load_graph(POLICY, "tensorrt")]
    for graph in (VALUE, TASK_ENCODER):
        loaded.append(bundle.load_graph(graph, "tensorrt"))
        del loaded[0]
        gc.collect()
        assert loaded[0].name == "tensorrt"


def test_bindings_that_raise_are_a_machine_without_a_gpu(bundle: Bundle, gpu: FakeGpu) -> None:
    gpu.raising["cudaGetDeviceCount"] = RuntimeError("Failed to dlopen\nlibcuda.so.1")
    assert bundle.load_graph(POLICY, "tensorrt").name == ONNXRUNTIME
    rows, absent = check_backends(bundle)
    assert {row["backend"] for row in rows} == {ONNXRUNTIME}
    assert "Failed to dlopen libcuda.so.1" in absent["tensorrt"]


def test_what_a_library_raises_is_a_row_of_the_check(bundle: Bundle, gpu: FakeGpu) -> None:
    gpu.spoil = of_another_version
    failures = [row["failure"] for row in check_backends(bundle)[0] if not row["ok"]]
    assert len(failures) == len(GRAPHS) + len(HALF)
    assert set(failures) == {
        "TypeError: incompatible function arguments The following are supported"
    }


def test_a_gpu_that_the_library_does_not_know_is_left_alone(
    bundle: Bundle,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    gpu = FakeGpu("tensorrt_rtx")
    gpu.install(monkeypatch)
    gpu.capability = (9, 0)
    _, absent = check_backends(bundle)
    reason = "knows GPUs of compute capability 8.6, this one's is 9.0"
    assert absent["tensorrt_rtx"].endswith(reason)
    # And nothing else uses what the check leaves out.
    assert bundle.load_graph(POLICY, "tensorrt_rtx").name == ONNXRUNTIME
    assert reason in caplog.text
    for words in ([], ["--compute-capability", "9.0"]):
        assert main(["build-engine", "--bundle", str(bundle.path), *words]) == 1
        assert reason in capsys.readouterr().err
    assert gpu.calls["build"] == 0


def test_an_engine_that_cannot_be_captured_is_not(bundle: Bundle, gpu: FakeGpu) -> None:
    gpu.capturable = False
    loaded = bundle.load_graph(POLICY, "tensorrt")
    assert loaded.name == "tensorrt"
    assert "CUDA graph" not in loaded.runtime
    assert gpu.calls["cudaStreamBeginCapture"] == 0


@pytest.mark.parametrize("rows", [(0, 0), (3, 2)])
def test_rows_that_no_engine_takes_do_not_cost_the_gpu(
    bundle: Bundle, gpu: FakeGpu, rows: tuple[int, int]
) -> None:
    inputs = dict(bundle.golden[TASK_ENCODER][0].inputs)
    for name, count in zip(("features", "weights"), rows, strict=True):
        inputs[name] = inputs[name][:count]
    inputs["reward"] = inputs["reward"][: rows[1]]
    loaded = bundle.load_graph(TASK_ENCODER, "tensorrt")
    with contextlib.suppress(FbRosError):
        loaded.run(inputs)
    assert loaded.name == "tensorrt"


@pytest.mark.parametrize("backend", [ONNXRUNTIME, "tensorrt"])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_policies_act_within_their_range(
    bundle: Bundle, gpu: FakeGpu, backend: str, precision: Precision
) -> None:
    case = bundle.golden[POLICY][0]
    observation, z = case.inputs["observation"][0], case.inputs["z"][0]
    mean = Policy(bundle, backend, precision).action(observation, z)
    np.testing.assert_allclose(mean, case.outputs["mean"][0], atol=1e-2)
    sampled = BestOfPolicy(bundle, backend, precision).action(observation, z)
    assert np.all(np.abs(sampled) <= 1.0)


def test_a_file_that_is_no_graph_is_refused_by_every_backend(
    bundle: Bundle, gpu: FakeGpu, tmp_path: Path
) -> None:
    file = bundle.graph_file(POLICY)
    (tmp_path / POLICY).write_bytes(b"not a graph")
    broken = dataclasses.replace(file, path=tmp_path / POLICY)
    for name in (ONNXRUNTIME, "tensorrt"):
        with pytest.raises(FbRosError, match="cannot be loaded by ONNX Runtime"):
            make_backend(name, broken)
