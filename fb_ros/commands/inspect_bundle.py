"""`fb_ros inspect`: what a bundle is, verified."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fb_ros.bundle.bundle import Bundle
from fb_ros.bundle.check_backends import check_backends
from fb_ros.bundle.description import FORMAT_VERSION
from fb_ros.bundle.files import DESCRIPTION, file_hashes
from fb_ros.bundle.onnx_file import read_onnx
from fb_ros.bundle.signature import SIGNATURE
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.paths import open_bundle
from fb_ros.robot.field import Field


@dataclasses.dataclass(frozen=True, kw_only=True)
class InspectConfig(CommandConfig):
    """Verify a bundle and describe it."""

    bundle: Path
    """Folder of a bundle, or the name of a model that ships."""
    check: bool = False
    """Replay the golden vectors on every backend of this machine; fails if one is wrong."""


def inspect_bundle(config: InspectConfig) -> Result:
    """The bundle's description, and the checks that it passed."""
    bundle = open_bundle(config.bundle)
    checked = {}
    if config.check:
        rows, absent = check_backends(bundle)
        checked = {"ok": all(row["ok"] for row in rows), "check": rows, "absent": absent}
    return checked | {
        "path": str(bundle.path),
        "model_id": bundle.model_id,
        "verified": _verified(bundle, golden=config.check),
        "algorithm": bundle.algorithm,
        "gamma": bundle.gamma,
        "blocks": list(bundle.blocks),
        "encoder_features": list(bundle.encoder_features),
        "reference_states": len(bundle.reference_features),
        "robot": bundle.robot.to_json(),
        "provenance": bundle.provenance,
        "evaluation": bundle.evaluation,
    }


def _verified(bundle: Bundle, *, golden: bool) -> Result:
    """The checks that the bundle passed; `golden`: whether golden vectors were replayed."""
    hashed = file_hashes(bundle.path)
    graphs = {name: read_onnx(bundle.path / name) for name in hashed if name.endswith(".onnx")}
    return {
        "format_version": FORMAT_VERSION,
        "hashed": [DESCRIPTION, *hashed],
        "graphs": {
            name: {"opset": graph.opset, "operators": graph.nodes, "numbers": graph.elements}
            for name, graph in graphs.items()
        },
        "golden_vectors": golden,
        "signature": (bundle.path / SIGNATURE).is_file(),
    }


def _show_verified(verified: Result) -> list[str]:
    opsets = sorted({str(graph["opset"]) for graph in verified["graphs"].values()})
    signed = "one, of which `fb_ros bundle verify` says whose" if verified["signature"] else "none"
    return [
        f"verified    format {verified['format_version']}, and that all "
        f"{len(verified['hashed'])} files are what the model's id covers",
        f"            {len(verified['graphs'])} graphs: opset {', '.join(opsets)}, no loop, no "
        "custom operator, no data elsewhere",
        "            golden vectors: not replayed; --check does that",
        f"            signature: {signed}",
    ]


def _show(result: Result) -> str:
    if "check" in result:
        return _show_check(result)
    robot = result["robot"]
    lines = [
        f"bundle      {result['path']}",
        f"model       {result['model_id']}",
        *_show_verified(result["verified"]),
        f"algorithm   {result['algorithm']}, gamma {result['gamma']}, "
        f"z of {sum(result['blocks'])} in {len(result['blocks'])} blocks",
        f"robot       {robot['name']}, {robot['action_interface']} commands every "
        f"{robot['ctrl_dt']} s",
        f"states      {result['reference_states']} reference states",
        "",
        "observation",
        *_fields(robot["observation"], ()),
        "features (* read by B)",
        *_fields(robot["features"], result["encoder_features"]),
        "commands",
    ]
    for joint, low, high in zip(
        robot["action_joints"], robot["action_low"], robot["action_high"], strict=True
    ):
        lines.append(f"  {joint:<16} {low:8.3f} to {high:.3f}")
    for title in ("evaluation", "provenance"):
        lines += ["", title]
        for name, value in result[title].items():
            if not isinstance(value, (list, dict)):
                lines.append(f"  {name:<22} {value}")
    return "\n".join(lines)


def _show_check(result: Result) -> str:
    lines = [f"model {result['model_id'][:12]}: largest errors on its golden vectors"]
    title = ""
    for row in result["check"]:
        runtime = row.get("runtime", row["backend"])
        if title != runtime:
            title = runtime
            lines.append(title)
        if "failure" in row:
            lines.append(f"  {row['graph']:<24} FAILED: {row['failure']}")
            continue
        error = "not finite" if row["error"] is None else f"{row['error']:.1e}"
        verdict = "" if row["ok"] else f"  WRONG: at most {row['tolerated']:g} is tolerated"
        lines.append(f"  {row['graph']:<24} {row['output']:<8} {error:>10}{verdict}")
    lines += [f"not here: {name}: {reason}" for name, reason in result["absent"].items()]
    return "\n".join(lines)


def _fields(fields: list[dict[str, object]], marked: tuple[str, ...]) -> list[str]:
    lines = []
    for data in fields:
        field = Field(**data)  # type: ignore[arg-type]
        mark = "*" if field.name in marked else " "
        lines.append(
            f" {mark}{field.name:<16} {field.size:3d} {field.unit:<6} {field.description}"
        )
    return lines


COMMAND = Command(config=InspectConfig, run=inspect_bundle, show=_show)
