"""Reward formulas: a small language over a model's named features.

The text is untrusted. Python's own parser makes a tree of it, which never runs: the rules below
walk the tree, and refuse everything that they do not name. Length, depth and work are bounded.
"""

from __future__ import annotations

import ast
import dataclasses
import warnings
from collections.abc import Collection, Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.prompts.formula_errors import offset, placed_error
from fb_ros.prompts.formula_evaluation import Evaluation, Scope
from fb_ros.robot.field import Field

MAX_LENGTH = 2000
"""Most characters of a formula."""
MAX_DEPTH = 40
"""Most levels of nesting."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class RewardFormula:
    """A formula that was read and checked against a layout of features."""

    scope: Scope
    """The names that the formula can use."""
    statements: tuple[ast.stmt, ...] = dataclasses.field(repr=False)
    """The definitions, then the reward."""

    @property
    def uses(self) -> frozenset[str]:
        """Names of the fields that the formula uses."""
        nodes = [node for statement in self.statements for node in ast.walk(statement)]
        names = {node.id for node in nodes if isinstance(node, ast.Name)}
        return frozenset(names & {field.name for field in self.scope.layout})

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """The reward of each of the states `(n, features)`, `(n,)`; may hold NaN or infinity."""
        if features.ndim != 2:
            raise FbRosError(f"features have shape {features.shape}, expected (n, features)")
        with np.errstate(all="ignore"):
            evaluation = Evaluation(self.scope, np.asarray(features, dtype=np.float64))
            value = evaluation.run(self.statements)
        return np.broadcast_to(value[:, 0], (len(features),)).copy()


def parse_formula(
    text: str, layout: Sequence[Field], readable: Collection[str] | None = None
) -> RewardFormula:
    """Reads a formula over the fields of `layout`; a refusal says in one line where and why.

    A formula is an expression, or several statements: the last one is the reward and the others
    name parts of it: `d = norm(tcp_pos - [0.1, 0.1, 0.2]); exp(-30 * d)`. `readable` are the
    fields that the model's `B` reads; without it the formula may use all fields.
    """
    formula = RewardFormula(
        scope=Scope(
            text=text,
            layout=tuple(layout),
            readable=frozenset([field.name for field in layout] if readable is None else readable),
        ),
        statements=_parse(text),
    )
    # With two states, values that vary with the state differ in length from those that do not.
    formula(np.zeros((2, sum(field.size for field in layout))))
    return formula


def _parse(text: str) -> tuple[ast.stmt, ...]:
    if len(text) > MAX_LENGTH:
        raise FbRosError(
            f"the formula has {len(text)} characters, at most {MAX_LENGTH} are allowed"
        )
    for position, character in enumerate(text):
        if not (character.isascii() and (character.isprintable() or character in "\n\t")):
            raise placed_error(text, position, f"{character!r} does not belong in a formula")
    # Leading blanks would make an indented block; `padding` counts them, so errors still name the
    # right place.
    padding = len(text) - len(text.lstrip())
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text.lstrip().rstrip("; \n\t"), mode="exec")
    except SyntaxError as error:
        where = offset(text[padding:], error.lineno or 1, max((error.offset or 1) - 1, 0))
        raise placed_error(text, where + padding, f"{error.msg}") from None
    except (RecursionError, MemoryError, ValueError) as error:
        raise FbRosError(f"the formula is nested too deeply to be read ({error})") from error
    if not tree.body:
        raise FbRosError("the formula is empty; write one, such as exp(-30 * norm(tcp_pos))")
    _require_shallow(tree)
    return tuple(tree.body)


def _require_shallow(tree: ast.AST) -> None:
    level: list[ast.AST] = [tree]
    for _ in range(MAX_DEPTH):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return
    raise FbRosError(f"the formula is nested more than {MAX_DEPTH} levels deep; name parts of it")
