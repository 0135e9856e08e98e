"""The cases of `fb_ros benchmark`, by name."""

from __future__ import annotations

from typing import Annotated

import tyro

from training.benchmarks.compute_cases import Bags, Collect, Damage, Inference, Memory, Training
from training.benchmarks.node_cases import Control, Ends, Faults, Flood, Prompts, Soak, Twin, Web

Benchmark = (
    Annotated[Prompts, tyro.conf.subcommand("prompts")]
    | Annotated[Twin, tyro.conf.subcommand("twin")]
    | Annotated[Control, tyro.conf.subcommand("control")]
    | Annotated[Web, tyro.conf.subcommand("web")]
    | Annotated[Faults, tyro.conf.subcommand("faults")]
    | Annotated[Ends, tyro.conf.subcommand("ends")]
    | Annotated[Flood, tyro.conf.subcommand("flood")]
    | Annotated[Soak, tyro.conf.subcommand("soak")]
    | Annotated[Inference, tyro.conf.subcommand("inference")]
    | Annotated[Training, tyro.conf.subcommand("training")]
    | Annotated[Collect, tyro.conf.subcommand("collect")]
    | Annotated[Bags, tyro.conf.subcommand("bags")]
    | Annotated[Memory, tyro.conf.subcommand("memory")]
    | Annotated[Damage, tyro.conf.subcommand("damage")]
)
