"""`fb_ros train`: a forward-backward model from collected episodes, that can be left alone."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fb_ros.command import Command, Result
from fb_ros.errors import FbRosError
from fb_ros.whole_file import UnwritableError
from sim.progress import progress_bar
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from sim.tasks.reward_tasks import reward_tasks
from training.agents.agent import Agent, Figures
from training.agents.divergence import divergence
from training.agents.sampler import Sampler
from training.compute import arithmetic, distributed
from training.compute.device import choose_device, device_name
from training.data.data import Transitions
from training.data.fingerprint import METADATA, data_fingerprint
from training.data.record import first_difference, read_record, write_record
from training.evaluation.evaluation_of import evaluation_of
from training.evaluation.reach_evaluation import require_renderer
from training.networks.weights import write_weights
from training.runs.checkpoint import load_checkpoint, read_record_of, write_checkpoint
from training.runs.commit import commit
from training.runs.run_record import BEST, LAST, RUN
from training.runs.starting_weights import starting_weights
from training.runs.stop_signal import StopSignal
from training.runs.train_config import TrainConfig, default_of
from training.runs.training_log import TrainingLog

CHECKPOINT = "checkpoint.safetensors"
_CURVE, _UPDATES = "curve", "updates"


def train(config: TrainConfig) -> Result:
    """Trains, evaluates on the way, and keeps the last and the best weights."""
    device = choose_device(config.device)
    distributed.join(device)
    try:
        with StopSignal() as stop:
            return _Training(config, device).run(stop)
    finally:
        distributed.leave()


class _Training:
    """One training, from its first update or from a checkpoint."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self._config = config
        environment = make_environment(config.robot, config.eval_start)
        spec = environment.spec
        _require_tasks(config, environment)
        arithmetic.set_up(config.threads, device)
        self._checkpoint = config.out / CHECKPOINT
        resumed = self._to_resume()
        torch.manual_seed(config.seed)
        data = Transitions(config.data, spec)
        agent_settings = config.agent.of_robot(spec)
        self._settings = {
            "robot": config.robot,
            "data": data_fingerprint(config.data),
            "seed": config.seed,
            "processes": distributed.count(),
            # The best weights are the best at these.
            "eval_tasks": list(config.eval_tasks),
            "eval_start": config.eval_start,
            "agent": dataclasses.asdict(agent_settings),
        }
        if resumed:
            # What older checkpoints do not know of was as it is by default now.
            before = {"eval_tasks": [], "eval_start": "benchmark", **resumed["settings"]}
            _require_same(before, self._settings, self._checkpoint)
        self._agent = Agent(agent_settings, spec, data, device)
        init = None
        if config.init and not resumed:
            networks = self._agent.networks
            weights, init = starting_weights(config.init, networks, agent_settings, spec)
            self._agent.load(weights, config.init)
        self._sampler = Sampler(agent_settings, spec, data, self._agent.networks)
        # Alike in a training of one process and in the first of several.
        self._generator = torch.Generator().manual_seed(config.seed + distributed.rank())
        self._evaluate = evaluation_of(
            agent_settings, environment, data, seed=config.eval_seed, tasks=config.eval_tasks
        )
        if config.videos:
            require_renderer()
        self._update, self._minutes, self._best = 0, 0.0, -np.inf
        self._run: Result = {
            "robot": config.robot,
            "commit": commit(),
            "data": {
                "fingerprint": self._settings["data"],
                "transitions": len(data),
                "collected_with": [_collected_with(folder) for folder in config.data],
            },
            "seed": config.seed,
            "init": init,
            "recipe": config.recipe,
            "agent": self._settings["agent"],
            "batch": agent_settings.batch,
            "threads": torch.get_num_threads(),
            "eval_tasks": self._settings["eval_tasks"],
            "eval_start": self._settings["eval_start"],
            "device": device_name(device),
            "learning_curve": [],
        }
        if resumed:
            generators = load_checkpoint(self._checkpoint, self._agent)
            self._generator.set_state(generators[distributed.rank()])
            self._run = {**resumed["run"], "device": device_name(device)}
            self._update, self._minutes = resumed["update"], resumed["minutes"]
            self._best = resumed["best"] if resumed["best"] is not None else -np.inf

    def _to_resume(self) -> dict[str, Any] | None:
        """The record of the checkpoint to go on from, if any; refuses to write over one."""
        if not self._checkpoint.exists():
            return None
        record = read_record_of(self._checkpoint)
        if not self._config.resume:
            raise FbRosError(
                f"{self._config.out} holds a training of {record['update']} updates; go on with "
                "it with --resume, or choose another --out"
            )
        return record

    def run(self, stop: StopSignal) -> Result:
        """Updates until the end, or until it should stop."""
        config = self._config
        over = config.minutes and self._minutes >= config.minutes
        if "last" in self._run and (over or self._update >= config.updates):
            return self._run
        config.out.mkdir(parents=True, exist_ok=True)
        first = distributed.rank() == 0
        if not first:
            return self._loop(stop, None)
        log = TrainingLog(config.out, self._update)
        try:
            return self._loop(stop, log)
        except UnwritableError as error:
            remedy = "Free some space and go on with --resume"
            raise FbRosError(f"{error}; {self._kept()} {remedy}") from error
        finally:
            log.close()

    def _loop(self, stop: StopSignal, log: TrainingLog | None) -> Result:
        config = self._config
        before, started = self._minutes, time.perf_counter()
        title = f"train {config.robot}" if log else ""
        progress = progress_bar(title=title, unit="update", total=config.updates)
        progress.update(self._update)
        while True:
            minutes = before + (time.perf_counter() - started) / 60.0
            # All processes stop at the same update, and anneal alike.
            told = distributed.mean(torch.tensor([float(bool(stop.name)), minutes]))
            self._minutes = float(told[1])
            if told[0] > 0.0:
                progress.close()
                return self._stopped(stop.name or "another process", log)
            spent = self._minutes / config.minutes if config.minutes else 0.0
            self._agent.anneal(max(self._update / config.updates, spent))
            figures = self._agent.update(*self._sampler.sample(self._generator), self._generator)
            self._update += 1
            progress.update()
            done = self._update >= config.updates or spent >= 1.0
            evaluates = done or self._update % config.eval_every == 0
            if evaluates or self._update % config.log_every == 0:
                row = self._row(figures)
                if log:
                    log.write(_UPDATES, row)
                    if evaluates:
                        progress.write(self._evaluated(row, log))
            if evaluates or self._update % config.checkpoint_every == 0:
                self._write_checkpoint(log)
            if done:
                progress.close()
                return self._run

    def _row(self, figures: Figures) -> dict[str, float]:
        """The figures as numbers, over all processes; refuses those of a training gone wrong."""
        config = self._config
        values = distributed.mean(torch.stack(list(figures.values()))).tolist()
        numbers = dict(zip(figures, values, strict=True))
        tolerance = config.divergence or np.inf
        reason = divergence(numbers, self._agent.config, tolerance)
        if reason:
            raise FbRosError(
                f"training diverged by update {self._update}: {reason}; {self._kept()} Lower "
                "learning rates or gamma, or more pessimism, may help"
            )
        return {"update": float(self._update), "minutes": self._minutes, **numbers}

    def _kept(self) -> str:
        if not self._checkpoint.exists():
            return "no checkpoint was written yet."
        update = read_record_of(self._checkpoint)["update"]
        return f"{self._config.out} keeps the checkpoint of update {update}."

    def _evaluated(self, row: dict[str, float], log: TrainingLog) -> str:
        """Evaluates, writes what came of it, and returns it as a line."""
        config, averaged = self._config, self._agent.averaged.on_cpu()
        row = row | self._evaluate(averaged, config.eval_goals)
        log.write(_CURVE, row)
        name = f"update_{self._update:07d}"
        self._evaluate.film(averaged, config.out / "videos", name, config.videos)
        write_weights(averaged, config.out / LAST)
        run = self._run
        run["learning_curve"].append(row)
        if row["mean_return"] >= self._best:
            self._best = row["mean_return"]
            write_weights(averaged, config.out / BEST)
            run["best"] = row
        run |= {"updates": self._update, "minutes": self._minutes, "last": row}
        write_record(config.out / RUN, run)
        return _line(row)

    def _write_checkpoint(self, log: TrainingLog | None) -> None:
        state = self._generator.get_state()
        generators = distributed.gather(state.unsqueeze(0))
        if log is None:
            return
        record = {
            "update": self._update,
            "minutes": self._minutes,
            "best": self._best if np.isfinite(self._best) else None,
            "settings": self._settings,
            "run": self._run,
        }
        write_checkpoint(self._checkpoint, self._agent, generators, record)

    def _stopped(self, name: str, log: TrainingLog | None) -> Result:
        self._write_checkpoint(log)
        return {
            "ok": False,
            "stopped_by": name,
            "update": self._update,
            "out": str(self._config.out),
        }


def _require_tasks(config: TrainConfig, environment: Environment) -> None:
    """Refuses tasks that the robot does not have, before anything else takes its time."""
    if environment.confined and config.eval_tasks:
        raise FbRosError(
            f"robot {config.robot} is evaluated by random goals; leave eval_tasks out"
        )
    if config.eval_tasks:
        reward_tasks(config.robot, config.eval_tasks)


def _require_same(before: dict[str, Any], now: dict[str, Any], path: Path) -> None:
    """Refuses to go on with a training under other settings, naming the first that differs."""
    # What JSON makes of tuples.
    as_lists = {name: list(v) if isinstance(v, tuple) else v for name, v in now["agent"].items()}
    found = {**before, **{f"agent.{name}": value for name, value in before["agent"].items()}}
    expected = {**now, **{f"agent.{name}": value for name, value in as_lists.items()}}
    del expected["agent"]
    name = first_difference(found, expected)
    if name:
        raise FbRosError(
            f"{path} was made with {name} {found.get(name)!r}, not {expected[name]!r}; go on with "
            "its own settings, or choose another --out (and --init to start from its weights)"
        )


def _collected_with(folder: Path) -> dict[str, Any]:
    path = folder / METADATA
    return read_record(path) if path.is_file() else {}


def _line(row: dict[str, float]) -> str:
    reached = ""
    if "mean_velocity_error_mps" in row:
        reached = f"success {row['success']:.2f}   falls {row['falls']:.2f}   "
        reached += f"off by {row['mean_velocity_error_mps']:.2f} m/s, "
        reached += f"{row['mean_yaw_rate_error_radps']:.2f} rad/s   "
    elif "success" in row:
        reached = f"success {row['success']:.2f}   "
        reached += f"median error {row['median_final_error_m']:.3f} m   "
    return (
        f"{row['update']:8.0f} updates {row['minutes']:6.1f} min   "
        f"return {row['mean_return']:6.1f}   {reached}Q {row['q']:.1f}   |F| {row['f_norm']:.1f}"
    )


def _show(result: Result) -> str:
    if "stopped_by" in result:
        return (
            f"stopped by {result['stopped_by']} after {result['update']} updates; the same "
            "command with --resume goes on from there"
        )
    if "last" not in result:
        return "the first process has the result"
    return "last  " + _line(result["last"]) + "\nbest  " + _line(result["best"])


COMMAND = Command(config=TrainConfig, run=train, show=_show, default=default_of)
