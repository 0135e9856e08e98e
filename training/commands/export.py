"""`fb_ros export`: writes a trained model as a bundle, with the graphs that the robot runs."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.description import write_description
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.errors import FbRosError
from fb_ros.robot.robot_spec import RobotSpec
from sim.robots.registry import make_environment
from training.agents.agent_config import AgentConfig
from training.agents.agent_networks import Networks
from training.agents.sampler import even_states
from training.agents.windows import Windows
from training.data.data import Transitions
from training.data.fingerprint import data_fingerprint
from training.evaluation.bundle_evaluation import evaluate
from training.evaluation.evaluate_config import EvaluateConfig
from training.evaluation.evaluation_of import evaluation_of
from training.exporting.bundle_folder import bundle_folder
from training.exporting.write_bundle import model_description, write_model
from training.networks.weights import load_weights, read_weights
from training.runs.run_record import BEST, LAST, agent_of, read_run


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig(CommandConfig):
    """Write a bundle from a training run, after evaluating it."""

    run: Path = Path("runs/jaco")
    """Folder of the training run."""
    data: tuple[Path, ...] = (Path("data/jaco"),)
    """The data that it was trained on, as the source of the reference states."""
    out: Path = Path("models/jaco")
    """Folder of the bundle; an existing one is replaced once the new one is complete."""
    weights: str = "best"
    """`best` or `last`."""
    reference_states: int = 10_000
    """Number of states sampled from the data and stored with the model."""
    goals: int = 100
    """Goals of the evaluation that is written into the bundle; for a mobile robot, episodes of
    each task that the training evaluated."""
    seed: int = 0
    """Seed of the sample and of the evaluation."""
    credit: str = ""
    """Whose work the data show, and under which licence; it is written into the provenance."""


def export(config: ExportConfig) -> Result:
    """Writes the bundle and returns its description."""
    run = read_run(config.run)
    environment = make_environment(run["robot"], run.get("eval_start", "benchmark"))
    spec = environment.spec
    agent = agent_of(run, config.run)
    if config.weights not in ("best", "last"):
        raise FbRosError(f"weights is {config.weights!r}, expected best or last")
    networks = Networks(agent, spec)
    weights = config.run / {"best": BEST, "last": LAST}[config.weights]
    load_weights(networks, read_weights(weights), weights)
    networks.eval()
    found, expected = data_fingerprint(config.data), run["data"]["fingerprint"]
    if found != expected:
        raise FbRosError(
            f"{' '.join(map(str, config.data))}: fingerprint {found[:12]}…, the run was trained "
            f"on {expected[:12]}…; name the same folders in the same order"
        )
    with bundle_folder(config.out.resolve()) as partial:
        data = Transitions(config.data, spec)
        features, observation = _reference_states(config, agent, spec, data)
        write_model(networks, agent, spec, features, observation, partial)
        description = {
            **model_description(agent, spec),
            "provenance": {
                **({"credit": config.credit} if config.credit else {}),
                "weights": config.weights,
                **{name: value for name, value in run.items() if name not in ("last", "best")},
            },
            "evaluation": {},
        }
        write_description(partial, description)
        if environment.confined:
            measured = evaluate(
                EvaluateConfig(bundle=partial, goals=config.goals, seed=config.seed)
            )
        else:
            # The same tasks as in the training.
            tasks = run.get("eval_tasks", ())
            evaluation = evaluation_of(agent, environment, data, seed=config.seed, tasks=tasks)
            figures = evaluation(networks, config.goals)
            measured = {"episodes": config.goals, "seed": config.seed, **figures}
        description["evaluation"] = {
            name: value for name, value in measured.items() if name not in ("model_id", "seconds")
        }
        write_description(partial, description)
        model_id = load_bundle(partial).model_id
    return {"out": str(config.out), **measured, "model_id": model_id}


def _reference_states(
    config: ExportConfig, agent: AgentConfig, spec: RobotSpec, data: Transitions
) -> tuple[torch.Tensor, torch.Tensor]:
    """Samples `rho`, the measure from which training drew the independent states; for a model
    whose tasks were strides of the data, those strides."""
    generator = torch.Generator().manual_seed(config.seed)
    count = min(config.reference_states, len(data))
    if agent.future_share:
        rows, features = Windows(agent, spec, data).own_future(count, 1, generator)
        return features, data.observation_at(rows)
    rows = data.rows_of(torch.randperm(len(data), generator=generator)[:count])
    even = even_states(agent, spec, data)
    if even:
        drawn = torch.rand(count, generator=generator) < agent.box_share
        rows[drawn] = even.sample(int(drawn.sum()), generator)
    return data.features_at(rows), data.observation_at(rows)


def _show(result: Result) -> str:
    start = f"{result['out']}: model {result['model_id'][:12]}, "
    if "success" not in result:
        return start + f"mean return {result['mean_return']:.1f} over its tasks"
    return start + (
        f"success {result['success']:.2f}, return {result['mean_return']:.1f} on "
        f"{result['episodes']} goals"
    )


COMMAND = Command(config=ExportConfig, run=export, show=_show)
