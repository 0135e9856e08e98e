"""The Unitree Go2 as a MuJoCo model, built from the figures in `go2.json`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

# Servo gains and physics step with which the controllers that walk on it were trained.
KP, KD = 20.0, 0.5
SIM_DT = 0.0025
FIGURES: dict[str, Any] = json.loads(Path(__file__).with_name("go2.json").read_text())

_SHAPES = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
}
_BODY, _LIMB, _FOOT = (0.75, 0.77, 0.8, 1.0), (0.3, 0.32, 0.36, 1.0), (0.1, 0.1, 0.1, 1.0)


def build_go2() -> mujoco.MjModel:
    """The robot on a flat floor; each joint has an actuator of the same name, which takes
    radians."""
    spec = mujoco.MjSpec()
    spec.modelname = "go2"
    spec.compiler.degree = False
    spec.option.timestep = SIM_DT
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = FIGURES["contacts"]["impratio"]
    _add_ground(spec)
    bodies = {"world": spec.worldbody}
    joints = {joint["name"].removesuffix("_joint"): joint for joint in FIGURES["joints"]}
    for figures in FIGURES["bodies"]:
        body = bodies[figures["parent"]].add_body(
            name=figures["name"],
            pos=figures["pos"],
            mass=figures["mass"],
            ipos=figures["com"],
            iquat=figures["inertia_quat"],
            inertia=figures["inertia"],
            explicitinertial=True,
        )
        bodies[figures["name"]] = body
        if figures["parent"] == "world":
            body.add_freejoint(name="root")
        else:
            _add_joint(spec, body, joints[figures["name"]])
    for shape in FIGURES["collision"]:
        _add_shape(bodies[shape["body"]], shape)
    _add_looks(bodies)
    bodies["base"].add_site(name="imu", pos=FIGURES["imu_site"])
    return spec.compile()


def _add_ground(spec: mujoco.MjSpec) -> None:
    spec.add_texture(
        name="ground",
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=(0.82, 0.84, 0.86),
        rgb2=(0.72, 0.75, 0.78),
        width=256,
        height=256,
    )
    material = spec.add_material(name="ground", texrepeat=(2, 2), texuniform=True)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "ground"
    spec.worldbody.add_geom(
        name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=(0, 0, 0.05), material="ground"
    )
    spec.worldbody.add_light(
        pos=(0, 0, 4), dir=(0.1, 0.2, -1), type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
    )
    spec.worldbody.add_camera(
        name="above",
        pos=(-1.4, -2.0, 1.5),
        xyaxes=(0.82, -0.57, 0.0, 0.28, 0.40, 0.87),
        mode=mujoco.mjtCamLight.mjCAMLIGHT_FIXED,
    )


def _add_joint(spec: mujoco.MjSpec, body: mujoco.MjsBody, figures: dict[str, Any]) -> None:
    body.add_joint(
        name=figures["name"],
        axis=figures["axis"],
        range=figures["range"],
        limited=True,
        damping=_three(figures["damping"]),
        armature=figures["armature"],
        frictionloss=figures["frictionloss"],
    )
    limit = figures["torque_limit"]
    spec.add_actuator(
        name=figures["name"],
        target=figures["name"],
        trntype=mujoco.mjtTrn.mjTRN_JOINT,
        gaintype=mujoco.mjtGain.mjGAIN_FIXED,
        biastype=mujoco.mjtBias.mjBIAS_AFFINE,
        gainprm=_padded(KP),
        biasprm=_padded(0.0, -KP, -KD),
        forcelimited=True,
        forcerange=(-limit, limit),
    )


def _three(value: float) -> Any:
    """MuJoCo's joint damping is a polynomial of three coefficients since version 3.4."""
    return np.array([value, 0.0, 0.0])


def _padded(*numbers: float) -> np.ndarray:
    return np.array([*numbers, *[0.0] * (10 - len(numbers))])


def _add_shape(body: mujoco.MjsBody, shape: dict[str, Any]) -> None:
    foot = shape.get("foot", False)
    contacts = FIGURES["contacts"]
    how = contacts["foot" if foot else "other"]
    size = [*shape["size"], 0.0, 0.0][:3]
    body.add_geom(
        type=_SHAPES[shape["type"]],
        size=size,
        pos=shape["pos"],
        quat=shape.get("quat", (1.0, 0.0, 0.0, 0.0)),
        friction=shape["friction"],
        margin=contacts["margin"],
        condim=how["condim"],
        priority=int(foot),
        solimp=[*how["solimp"], 0.5, 2.0],
        mass=0.0,
        rgba=_FOOT if foot else _BODY if shape["body"] == "base" else _LIMB,
    )


def _add_looks(bodies: dict[str, mujoco.MjsBody]) -> None:
    """Visual shapes without contacts: thighs and calves as capsules, a back and a head."""

    def add(body: str, kind: mujoco.mjtGeom, rgba: tuple[float, ...], **place: Any) -> None:
        bodies[body].add_geom(
            type=kind, rgba=rgba, mass=0.0, contype=0, conaffinity=0, group=1, **place
        )

    capsule, box = mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_BOX
    add("base", box, _BODY, size=(0.17, 0.075, 0.045), pos=(0.0, 0.0, 0.02))
    add("base", box, _LIMB, size=(0.05, 0.045, 0.035), pos=(0.3, 0.0, 0.0))
    for leg in ("FL", "FR", "RL", "RR"):
        add(f"{leg}_thigh", capsule, _BODY, size=(0.028, 0, 0), fromto=(0, 0, 0, 0, 0, -0.2))
        add(f"{leg}_calf", capsule, _LIMB, size=(0.015, 0, 0), fromto=(0, 0, 0, 0, 0, -0.2))
