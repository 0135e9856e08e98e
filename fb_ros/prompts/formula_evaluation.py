"""Walks the tree of a reward formula: computes each part, and refuses everything else."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import inspect
import operator
from collections.abc import Callable, Sequence

import numpy as np

from fb_ros.errors import FbRosError
from fb_ros.prompts.formula_errors import PlacedError, offset, placed_error
from fb_ros.prompts.formula_functions import CONSTANTS, FUNCTIONS, Value, matching, single, truth
from fb_ros.robot.field import Field, layout_slices
from fb_ros.robot.wording import describe

MAX_WORK = 250
"""How many numbers a formula may compute for one state."""

_OPERATORS: dict[type[ast.operator], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class Scope:
    """Names that a formula may use."""

    text: str
    """The formula, which locates an error in it."""
    layout: tuple[Field, ...]
    """Fields of the features that it is evaluated on."""
    readable: frozenset[str]
    """Names of the fields that the formula may use."""


class Evaluation:
    """One walk over a formula's tree; values are `(n, k)`, as in `formula_functions`."""

    def __init__(self, scope: Scope, features: np.ndarray) -> None:
        self._scope, self._features = scope, features
        self._slices = layout_slices(scope.layout)
        self._names: dict[str, np.ndarray] = {}
        self._work = 0

    def run(self, statements: Sequence[ast.stmt]) -> np.ndarray:
        """The value of the last statement, `(n, 1)` or `(1, 1)`, after the definitions."""
        *definitions, last = statements
        for statement in definitions:
            self._define(statement)
        if not isinstance(last, ast.Expr):
            raise self._error(last, "the last part has to be the reward, an expression")
        value = self.number(last.value)
        if value.shape[1] != 1:
            raise self._error(
                last, f"the reward has to be a single number, this has {value.shape[1]}"
            )
        return value

    def _define(self, statement: ast.stmt) -> None:
        if not isinstance(statement, ast.Assign):
            raise self._error(statement, "only `name = expression` may come before the reward")
        (target, *others) = statement.targets
        if others or not isinstance(target, ast.Name):
            raise self._error(statement, "a definition names one thing: `name = expression`")
        name = target.id
        if name in (*self._slices, *self._names, *FUNCTIONS, *CONSTANTS):
            raise self._error(target, f"{name} is there already; choose another name")
        self._names[name] = self.number(statement.value)

    def number(self, node: ast.expr) -> np.ndarray:
        """The value of a node that has to be numbers."""
        value = self._value(node)
        if isinstance(value, str):
            raise self._error(node, "a text has no place here; only sigmoid takes one")
        return value

    def _value(self, node: ast.expr) -> Value:
        try:
            value = self._dispatch(node)
        except PlacedError:
            raise
        except FbRosError as error:
            raise self._error(node, str(error)) from None
        if not isinstance(value, str):
            self._work += value.shape[1]
            if self._work > MAX_WORK:
                raise self._error(node, f"up to here the formula computes over {MAX_WORK} numbers")
        return value

    def _dispatch(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=str() as text):
                return text
            case ast.Constant(value=bool() | int() | float() as number):
                return self._constant(number)
            case ast.Name(id=name):
                return self._name(node, name)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return self._vector(node, elements)
            case ast.Subscript(value=vector, slice=index):
                return self._component(vector, index)
            case ast.UnaryOp(op=ast.Not(), operand=operand):
                return 1.0 - truth(self.number(operand))
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return -self.number(operand)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.number(operand)
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _OPERATORS:
                values = [self.number(left), self.number(right)]
                matching(values)
                return _OPERATORS[type(sign)](*values)
            case ast.BoolOp(op=sign, values=operands):
                truths = [truth(self.number(operand)) for operand in operands]
                join = np.minimum if isinstance(sign, ast.And) else np.maximum
                result = truths[0]
                for other in truths[1:]:
                    result = join(result, other)
                return result
            case ast.Compare(left=left, ops=signs, comparators=others):
                return self._comparison(node, [left, *others], signs)
            case ast.Call():
                return self._call(node)
        raise self._error(node, _ADVICE.get(type(node), "this is not part of a formula"))

    def _constant(self, number: int | float) -> np.ndarray:
        try:
            return np.array([[float(number)]])
        except OverflowError:
            raise FbRosError("this number is too large") from None

    def _name(self, node: ast.expr, name: str) -> np.ndarray:
        if name in self._names:
            return self._names[name]
        if name in self._slices:
            if name not in self._scope.readable:
                readable = [f for f in self._scope.layout if f.name in self._scope.readable]
                raise self._error(
                    node,
                    f"this model's B does not read {name}, so it cannot be rewarded for it; it "
                    f"reads {describe(readable)}",
                )
            return self._features[:, self._slices[name]]
        if name in CONSTANTS:
            return np.array([[CONSTANTS[name]]])
        if name in FUNCTIONS:
            raise self._error(node, f"{name} is a function: {name}(…)")
        raise self._error(node, f"unknown name; {self._possible(name)}")

    def _possible(self, name: str) -> str:
        features = [f for f in self._scope.layout if f.name in self._scope.readable]
        known = [*[f.name for f in features], *self._names, *FUNCTIONS, *CONSTANTS]
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}? " if close else ""
        return f"{hint}features: {describe(features)}; functions: {', '.join(FUNCTIONS)}"

    def _vector(self, node: ast.expr, elements: list[ast.expr]) -> np.ndarray:
        if not elements:
            raise self._error(node, "a vector without components")
        parts = [single(self.number(element), "a component") for element in elements]
        rows = max(len(part) for part in parts)
        return np.concatenate([np.broadcast_to(part, (rows, 1)) for part in parts], axis=1)

    def _component(self, vector: ast.expr, index: ast.expr) -> np.ndarray:
        value = self.number(vector)
        if not (isinstance(index, ast.Constant) and type(index.value) is int):
            raise self._error(index, "a component is a whole number, such as tcp_pos[2]")
        if index.value >= value.shape[1]:
            raise self._error(
                index, f"there are {value.shape[1]} components, 0 to {value.shape[1] - 1}"
            )
        return value[:, index.value : index.value + 1]

    def _comparison(
        self, node: ast.expr, operands: list[ast.expr], signs: list[ast.cmpop]
    ) -> np.ndarray:
        values = [single(self.number(operand), "a comparison's side") for operand in operands]
        result = np.ones((1, 1))
        for sign, left, right in zip(signs, values[:-1], values[1:], strict=True):
            if type(sign) not in _COMPARISONS:
                raise self._error(node, "compare with <, <=, >, >=, == or !=")
            result = result * _COMPARISONS[type(sign)](left, right)
        return result

    def _call(self, node: ast.Call) -> np.ndarray:
        if not isinstance(node.func, ast.Name):
            raise self._error(node, "only functions of these names: " + ", ".join(FUNCTIONS))
        name = node.func.id
        if name not in FUNCTIONS:
            raise self._error(node.func, f"unknown function; {self._possible(name)}")
        arguments: list[Value] = []
        for argument in node.args:
            if isinstance(argument, ast.Starred):
                raise self._error(argument, "write the arguments out")
            arguments.append(self.number(argument))
        named: dict[str, Value] = {}
        for keyword in node.keywords:
            if keyword.arg is None:
                raise self._error(keyword.value, "write the arguments out")
            text = keyword.arg == "sigmoid"
            named[keyword.arg] = self._value(keyword.value) if text else self.number(keyword.value)
        try:
            inspect.signature(FUNCTIONS[name]).bind(*arguments, **named)
        except TypeError as error:
            raise self._error(node, f"{name}: {error}") from None
        return FUNCTIONS[name](*arguments, **named)

    def _error(self, node: ast.AST, why: str) -> FbRosError:
        text = self._scope.text
        padding = len(text) - len(text.lstrip())
        line, column = getattr(node, "lineno", 1), getattr(node, "col_offset", 0)
        return placed_error(text, offset(text[padding:], line, column) + padding, why)


_ADVICE: dict[type[ast.expr], str] = {
    ast.Attribute: "there are no attributes; a component is tcp_pos[2]",
    ast.IfExp: "write where(condition, a, b)",
    ast.BinOp: "possible are +, -, *, / and ** (a power)",
    ast.UnaryOp: "possible are - and not",
}
