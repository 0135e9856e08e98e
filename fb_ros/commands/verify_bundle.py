"""`fb_ros bundle verify`: whether a bundle is whole and signed by the owner of a key."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fb_ros.command import Command, CommandConfig, Result
from fb_ros.paths import open_bundle


@dataclasses.dataclass(frozen=True, kw_only=True)
class VerifyConfig(CommandConfig):
    """Verify a bundle and its signature, as a node with `require_signature` does."""

    bundle: Path
    """Folder of a bundle, or the name of a model that ships."""
    key: Path
    """The signer's public key in PEM; `openssl pkey -in KEY -pubout -out PUBLIC` writes it."""


def verify_bundle(config: VerifyConfig) -> Result:
    """The bundle's id, if the bundle is whole and signed."""
    bundle = open_bundle(config.bundle, signed_by=config.key)
    return {"path": str(bundle.path), "model_id": bundle.model_id, "signed_by": str(config.key)}


def _show(result: Result) -> str:
    return f"{result['path']}: model {result['model_id'][:12]} is whole, and signed by the key"


COMMAND = Command(config=VerifyConfig, run=verify_bundle, show=_show)
