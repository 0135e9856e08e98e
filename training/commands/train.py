"""`fb_ros train`: trains a forward-backward model from collected episodes, unattended."""

from __future__ import annotations

import time
from contextlib import nullcontext

import numpy as np
import torch

from fb_ros.command import Command, Result
from fb_ros.errors import FbRosError
from fb_ros.folder_lock import sole_writer
from fb_ros.whole_file import UnwritableError
from sim.progress import progress_bar
from sim.renderer import require_renderer
from sim.robots.environment import Environment
from sim.robots.registry import make_environment
from sim.tasks.reward_tasks import reward_tasks
from training.agents.agent import Agent
from training.agents.divergence import divergence
from training.agents.representation import Figures
from training.agents.sampler import Sampler
from training.compute import arithmetic, distributed
from training.compute.device import choose_device, device_name
from training.data.data import Transitions
from training.data.fingerprint import require_still
from training.data.record import write_record
from training.evaluation.evaluation_of import evaluation_of
from training.networks.weights import write_weights
from training.runs.checkpoint import load_checkpoint, read_record_of, write_checkpoint
from training.runs.figures_line import figures_line
from training.runs.new_run import new_run
from training.runs.resume import CHECKPOINT, record_to_resume, require_same, settings_of
from training.runs.run_record import BEST, LAST, RUN
from training.runs.starting_weights import starting_weights
from training.runs.stop_signal import StopSignal
from training.runs.train_config import TrainConfig, default_of
from training.runs.training_log import TrainingLog

_CURVE, _UPDATES = "curve", "updates"


def train(config: TrainConfig) -> Result:
    """Trains and evaluates; keeps the last and the best weights."""
    device = choose_device(config.device)
    distributed.join(device)
    try:
        writes = sole_writer(config.out, "fb_ros train") if not distributed.rank() else None
        with StopSignal() as stop, writes or nullcontext():
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
        resumed = record_to_resume(config)
        torch.manual_seed(config.seed)
        data = Transitions(config.data, spec)
        agent_settings = config.agent.of_robot(spec)
        self._settings = settings_of(config, agent_settings)
        require_still(config.data, [len(flat.steps) for flat in data.flat])
        if resumed:
            require_same(resumed["settings"], self._settings, self._checkpoint)
        self._agent = Agent(agent_settings, spec, data, device)
        init = None
        if config.init and not resumed:
            networks = self._agent.networks
            weights, init = starting_weights(config.init, networks, agent_settings, spec)
            self._agent.load(weights, config.init)
        self._sampler = Sampler(agent_settings, spec, data, self._agent.networks)
        # A training of one process draws the same as the first of several.
        self._generator = torch.Generator().manual_seed(config.seed + distributed.rank())
        self._evaluate = evaluation_of(
            agent_settings, environment, data, seed=config.eval_seed, tasks=config.eval_tasks
        )
        if config.videos:
            require_renderer("videos")
        self._update, self._minutes, self._best = 0, 0.0, -np.inf
        self._run = new_run(config, self._settings, len(data), init, device)
        if resumed:
            generators = load_checkpoint(self._checkpoint, self._agent)
            self._generator.set_state(generators[distributed.rank()])
            self._run = {**resumed["run"], "device": device_name(device)}
            self._update, self._minutes = resumed["update"], resumed["minutes"]
            self._best = resumed["best"] if resumed["best"] is not None else -np.inf

    def run(self, stop: StopSignal) -> Result:
        """Updates until the end, or until a reason to stop."""
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
            figures = self._step(max(self._update / config.updates, spent))
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

    def _step(self, progress: float) -> Figures:
        agent, sampler, generator = self._agent, self._sampler, self._generator
        if agent.begin(progress):
            return agent.update_policy(*sampler.sample_singly(generator), generator)
        return agent.update(*sampler.sample(generator), generator)

    def _row(self, figures: Figures) -> dict[str, float]:
        """The figures as numbers, over all processes; raises if training has diverged."""
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
        """Evaluates, writes the result, and returns it as a line."""
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
        return figures_line(row)

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
    """Refuses unknown tasks of the robot before anything slow starts."""
    if environment.confined and config.eval_tasks:
        raise FbRosError(
            f"robot {config.robot} is evaluated by random goals; leave eval_tasks out"
        )
    if config.eval_tasks:
        reward_tasks(config.robot, config.eval_tasks)


def _show(result: Result) -> str:
    if "stopped_by" in result:
        return (
            f"stopped by {result['stopped_by']} after {result['update']} updates; the same "
            "command with --resume goes on from there"
        )
    if "last" not in result:
        return "the first process has the result"
    return "last  " + figures_line(result["last"]) + "\nbest  " + figures_line(result["best"])


COMMAND = Command(config=TrainConfig, run=train, show=_show, default=default_of)
