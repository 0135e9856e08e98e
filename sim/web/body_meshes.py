"""The shapes of a robot's bodies, for a browser to draw."""

from __future__ import annotations

import dataclasses
from typing import Any

import mujoco
from mjviser.conversions import group_geoms_by_visual_compat, merge_geoms

# MuJoCo's groups from this one on are hidden, such as collision shapes.
_HIDDEN_GROUP = 3


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodyMesh:
    """The shapes of one body that share one texture."""

    body: int
    """Number of the body in the model."""
    carrier: int | None
    """Number of the nearest of the other bodies that this one hangs on; None if there is none."""
    mesh: Any
    """A `trimesh.Trimesh`, in the body's frame."""


def body_meshes(model: mujoco.MjModel, *, fixed: bool) -> list[BodyMesh]:
    """The visible shapes, without planes, of the bodies that are `fixed` to the world, or of those
    that move."""
    found: list[BodyMesh] = []
    for body in range(model.nbody):
        if (model.body_weldid[body] == 0) != fixed:
            continue
        start = model.body_geomadr[body]
        geoms = [
            geom
            for geom in range(start, start + model.body_geomnum[body])
            if model.geom_type[geom] != mujoco.mjtGeom.mjGEOM_PLANE
            and model.geom_group[geom] < _HIDDEN_GROUP
            and model.geom_rgba[geom, 3] > 0.0
        ]
        carrier = _carrier(model, body, {part.body for part in found})
        found += [
            BodyMesh(body=body, carrier=carrier, mesh=merge_geoms(model, part))
            for part in group_geoms_by_visual_compat(model, geoms)
        ]
    return found


def _carrier(model: mujoco.MjModel, body: int, among: set[int]) -> int | None:
    """The nearest ancestor of `body` that is `among` these; MuJoCo numbers it lower."""
    while body:
        body = int(model.body_parentid[body])
        if body in among:
            return body
    return None


def floor_height(model: mujoco.MjModel) -> float:
    """Height of the first plane that the robot stands on, m; 0 if there is none."""
    planes = [
        geom for geom in range(model.ngeom) if model.geom_type[geom] == mujoco.mjtGeom.mjGEOM_PLANE
    ]
    return float(model.geom_pos[planes[0], 2]) if planes else 0.0
