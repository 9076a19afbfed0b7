"""Expressions that operators write for severity: compared, combined, never executed.

An expression is parsed by Python's own parser and then walked by a whitelist: names, numbers,
texts, comparisons, `and`/`or`/`not`, `in`, the four operations and `min`, `max`, `abs`. There are
no attributes, subscripts, calls of anything else, and therefore nothing to escape from.

A name without a value is `None`; a comparison with `None` is false, arithmetic with it is `None`.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

MAX_LENGTH = 1_000
MAX_DEPTH = 40

_COMPARISONS: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_OPERATIONS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {"min": min, "max": max, "abs": abs}

Values = Mapping[str, Any]
_Node = Callable[[Values], Any]


class ExpressionError(ValueError):
    """An expression that cannot be used; `offset` is the 0-based character it is about."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.offset = offset


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression.

    Attributes:
        text: as the operator wrote it.
        names: the names it reads.
    """

    text: str
    names: frozenset[str]
    _run: _Node

    def holds(self, values: Values) -> bool:
        """Whether it is true of `values`; never raises for any JSON values."""
        return bool(self._run(values))


@lru_cache(maxsize=4096)
def compile_known(text: str) -> Expression:
    """Compile an expression whose names were checked when the rules were read; once each."""
    return compile_expression(text)


def compile_expression(text: str, names: Collection[str] | None = None) -> Expression:
    """Parse and check `text`; with `names`, names outside them are refused.

    Raises:
        ExpressionError: with a message for the operator and the offset of the fault.
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression is longer than {MAX_LENGTH} characters")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's advice on code is none for operators
            tree = ast.parse(text.strip(), mode="eval")
    except SyntaxError as error:
        offset = max((error.offset or 1) - 1, 0)
        raise ExpressionError(f"cannot be read: {error.msg}", offset) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"cannot be read: {error}") from None
    compiler = _Compiler(names)
    run = compiler.compile(tree.body, 0)
    return Expression(text, frozenset(compiler.used), run)


class _Compiler:
    """Turns a checked syntax tree into nested functions of the values."""

    def __init__(self, names: Collection[str] | None) -> None:
        self._names = names
        self.used: set[str] = set()

    def compile(self, node: ast.expr, depth: int) -> _Node:
        if depth > MAX_DEPTH:
            raise ExpressionError("the expression is nested too deeply", node.col_offset)
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is None:
            raise ExpressionError(
                f"{_describe(node)} cannot be used here; compare fields with numbers or texts "
                "and join them with and, or, not",
                node.col_offset,
            )
        compiled: _Node = method(node, depth + 1)
        return compiled

    def _constant(self, node: ast.Constant, _depth: int) -> _Node:
        value = node.value
        if not isinstance(value, (bool, int, float, str)) and value is not None:
            raise ExpressionError("only numbers and texts can be written", node.col_offset)
        return lambda _values: value

    def _name(self, node: ast.Name, _depth: int) -> _Node:
        name = node.id
        if name in {"true", "false"}:
            truth = name == "true"
            return lambda _values: truth
        if self._names is not None and name not in self._names:
            raise ExpressionError(f"unknown name '{name}'", node.col_offset)
        self.used.add(name)
        return lambda values: values.get(name)

    def _boolop(self, node: ast.BoolOp, depth: int) -> _Node:
        parts = [self.compile(part, depth) for part in node.values]
        if isinstance(node.op, ast.And):
            return lambda values: all(part(values) for part in parts)
        return lambda values: any(part(values) for part in parts)

    def _unaryop(self, node: ast.UnaryOp, depth: int) -> _Node:
        part = self.compile(node.operand, depth)
        if isinstance(node.op, ast.Not):
            return lambda values: not part(values)
        if isinstance(node.op, ast.USub):
            return lambda values: _calculate(operator.sub, 0, part(values))
        raise ExpressionError("only 'not' and '-' can stand before a value", node.col_offset)

    def _binop(self, node: ast.BinOp, depth: int) -> _Node:
        operation = _OPERATIONS.get(type(node.op))
        if operation is None:
            raise ExpressionError("only + - * / can be used", node.col_offset)
        left, right = self.compile(node.left, depth), self.compile(node.right, depth)
        return lambda values: _calculate(operation, left(values), right(values))

    def _compare(self, node: ast.Compare, depth: int) -> _Node:
        operands = [self.compile(part, depth) for part in (node.left, *node.comparators)]
        tests = [self._test(op, node) for op in node.ops]

        def run(values: Values) -> bool:
            results = [operand(values) for operand in operands]
            return all(test(results[index], results[index + 1]) for index, test in enumerate(tests))

        return run

    def _test(self, op: ast.cmpop, node: ast.Compare) -> Callable[[Any, Any], bool]:
        if isinstance(op, ast.In):
            return _contains
        if isinstance(op, ast.NotIn):
            return lambda left, right: left is not None and not _contains(left, right)
        comparison = _COMPARISONS.get(type(op))
        if comparison is None:
            raise ExpressionError("'is' cannot be used; write ==", node.col_offset)
        return lambda left, right: bool(_apply(comparison, left, right))

    def _tuple(self, node: ast.Tuple | ast.List, depth: int) -> _Node:
        parts = [self.compile(part, depth) for part in node.elts]
        return lambda values: [part(values) for part in parts]

    _list = _tuple

    def _call(self, node: ast.Call, depth: int) -> _Node:
        if not isinstance(node.func, ast.Name) or node.func.id not in _FUNCTIONS or node.keywords:
            raise ExpressionError("only min, max and abs can be called", node.col_offset)
        function = _FUNCTIONS[node.func.id]
        parts = [self.compile(part, depth) for part in node.args]
        if not parts or (function is abs and len(parts) != 1):
            raise ExpressionError(f"{node.func.id} needs values", node.col_offset)
        return lambda values: _call(function, [part(values) for part in parts])


def _apply(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    if left is None or right is None:
        return None
    try:
        return operation(left, right)
    except (TypeError, ZeroDivisionError, OverflowError):
        return None


def _calculate(operation: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Arithmetic on numbers only: a text times a number would be a way to fill the memory."""
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return None
    return _apply(operation, left, right)


def _call(function: Callable[..., Any], values: list[Any]) -> Any:
    known = [value for value in values if value is not None]
    try:
        return function(*known) if len(known) == 1 and function is abs else function(known)
    except (TypeError, ValueError):
        return None


def _contains(left: Any, right: Any) -> bool:
    if left is None or right is None:
        return False
    try:
        return left in right
    except TypeError:
        return False


def _describe(node: ast.expr) -> str:
    words = {"Attribute": "a dot", "Subscript": "[…]", "Lambda": "lambda", "IfExp": "if … else"}
    return words.get(type(node).__name__, type(node).__name__.lower())
