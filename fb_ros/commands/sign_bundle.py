"""`fb_ros bundle sign`: says with a key who answers for a bundle."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from fb_ros.bundle.signature import sign
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.paths import open_bundle


@dataclasses.dataclass(frozen=True, kw_only=True)
class SignConfig(CommandConfig):
    """Sign a bundle with an Ed25519 key of your own, after verifying it."""

    bundle: Path
    """Folder of a bundle, or the name of a model that ships."""
    key: Path
    """Your private key in PEM; `openssl genpkey -algorithm ed25519 -out KEY` makes one."""


def sign_bundle(config: SignConfig) -> Result:
    """Writes the signature beside the description."""
    bundle = open_bundle(config.bundle)
    return {"model_id": bundle.model_id, "signature": str(sign(bundle.path, config.key))}


def _show(result: Result) -> str:
    return f"{result['signature']}: signs model {result['model_id'][:12]}"


COMMAND = Command(config=SignConfig, run=sign_bundle, show=_show)
