"""Jinja2 for files that operators may edit: plain data only, bounded in time and output.

Standing in the flow: mails, phrases and pictures are made by it. It also knows where templates lie.

Beyond Jinja's own immutable sandbox: nothing can be called, only listed filters exist, only loops,
conditions, `set`, `include`, `extends` and blocks may be written, every turn of a loop counts
against a budget, and a dictionary's keys come before its methods (which are out of reach).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateSyntaxError, nodes
from jinja2.exceptions import SecurityError
from jinja2.filters import FILTERS
from jinja2.runtime import Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_OUTPUT = 2_000_000  # characters
MAX_SECONDS = 5.0
MAX_TURNS = 50_000
MAX_VALUE = 200_000  # characters or members of any value made on the way
MAX_MADE = 20_000_000  # characters of all values made by one rendering
MAX_SOURCE = 100_000
_KEPT_SOURCE = 40_000
_KEPT_TEMPLATES = 1_000
_CODE: dict[tuple[Any, ...], Any] = {}

_FILTERS = (
    "abs", "capitalize", "d", "default", "e", "escape", "first", "float", "int", "join", "last",
    "length", "list", "lower", "max", "min", "round", "sort", "string", "sum", "title", "trim",
    "truncate", "unique", "upper", "wordwrap",
)  # fmt: skip
_TESTS = (
    "defined", "undefined", "none", "number", "string", "mapping", "sequence", "odd", "even",
    "divisibleby", "eq", "equalto", "==", "ne", "!=", "lt", "<", "le", "<=", "gt", ">", "ge", ">=",
    "in", "true", "false",
)  # fmt: skip
_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign,
    nodes.Include, nodes.Extends, nodes.Block, nodes.Expr, nodes.Operand, nodes.Keyword,
    nodes.Pair, nodes.Helper,
)  # fmt: skip
_FORBIDDEN = (nodes.Call, nodes.Concat, nodes.NSRef)
_MAX_POWER = 10.0
_NAME = re.compile(r"\{\{ ?([a-z][a-z0-9_]*) ?\}\}")
_NO_NAMES = frozenset({
    "and", "caller", "else", "false", "if", "in", "is", "kwargs", "loop", "none", "not", "or",
    "self", "super", "true", "varargs",
})  # fmt: skip  # words that mean something else to Jinja


class Budget(threading.local):
    """What the template being rendered in this thread may still use."""

    def __init__(self) -> None:
        self.until = float("inf")
        self.turns = MAX_TURNS
        self.made = 0

    def start(self) -> None:
        """Begin a rendering."""
        self.until = time.monotonic() + MAX_SECONDS
        self.turns = MAX_TURNS
        self.made = 0

    def turn(self) -> str:
        """Count one turn of a loop or one inclusion; raises SecurityError past the bounds."""
        self.turns -= 1
        if self.turns < 0 or time.monotonic() > self.until:
            raise SecurityError("the template takes too long")
        return ""

    def weigh(self, value: Any) -> Any:
        """Count what a value holds, also what it holds several times; gives the value back.

        Lists of lists of one list take no memory until they are written out: ten lines of them
        would fill the machine's.
        """
        weight = len(value) if isinstance(value, str) else 1
        if isinstance(value, list | tuple | Mapping):
            weight = _weight(value)
        if weight > MAX_MADE - self.made:
            raise SecurityError("the template makes too much")
        self.made += weight
        if time.monotonic() > self.until:
            raise SecurityError("the template takes too long")
        return value


def _weight(value: Any) -> int:
    """The characters of all texts within, each as often as it would be written, and the members."""
    weight, members, left = 0, 0, [value]
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            left.extend((*one, *one.values()))
        elif isinstance(one, list | tuple):
            left.extend(one)
        weight += len(one) if isinstance(one, str) else 1
        members += 1
        if members > MAX_VALUE or weight > MAX_MADE:
            raise SecurityError("the template makes too much")
    return weight


_BUDGET = Budget()


def shipped_templates() -> Path:
    """The templates that come with warden: in the installed package, else in the source tree."""
    package = Path(__file__).parent
    inside = package / "share" / "templates"
    return inside if inside.is_dir() else package.parent / "templates"


def template_folders(own: Path | None = None) -> tuple[Path, ...]:
    """Where templates are looked for: the operator's folder first, then the shipped one."""
    shipped = shipped_templates()
    return (shipped,) if own is None or own == shipped else (own, shipped)


def _count_turns(node: nodes.Node) -> None:
    """Make every turn of a loop and every inclusion count against the budget."""
    for name, value in list(node.iter_fields()):
        if not isinstance(value, list):
            continue
        counted: list[object] = []
        for child in value:
            if isinstance(child, nodes.Include):
                counted.append(_tick(child.lineno))
            counted.append(child)
        setattr(node, name, counted)
    if isinstance(node, nodes.For):
        node.body.insert(0, _tick(node.lineno))
        inner = node.body[1:] + node.else_
    else:
        inner = list(node.iter_child_nodes())
    for child in inner:
        _count_turns(child)


def _weigh_literals(tree: nodes.Template) -> None:
    """Make every list and dictionary that is written in a template count when it is made."""
    for parent in list(tree.find_all(nodes.Node)):
        for name, value in list(parent.iter_fields()):
            if isinstance(value, list):
                setattr(parent, name, [_weighed(one) for one in value])
            elif isinstance(value, nodes.Node):
                setattr(parent, name, _weighed(value))


def _weighed(node: Any) -> Any:
    made = isinstance(node, nodes.List | nodes.Dict) or (
        isinstance(node, nodes.Tuple) and node.ctx == "load"
    )
    if not made:
        return node
    name = nodes.Name("_weigh", "load", lineno=node.lineno)
    return nodes.Call(name, [node], [], None, None, lineno=node.lineno)


def _tick(line: int) -> nodes.Output:
    name = nodes.Name("_turn", "load", lineno=line)
    call = nodes.Call(name, [], [], None, None, lineno=line)
    return nodes.Output([call], lineno=line)


class Sandbox(ImmutableSandboxedEnvironment):
    """An environment for untrusted templates in the folders given, first folder first."""

    intercepted_binops = frozenset({"*", "**", "+", "%", "//", "/", "-"})

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(
            loader=FileSystemLoader([str(folder) for folder in folders]),
            undefined=StrictUndefined,
            autoescape=_is_markup,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
        )
        self.globals = {"_turn": _BUDGET.turn, "_weigh": _BUDGET.weigh}
        self.filters = {name: _bounded(FILTERS[name]) for name in _FILTERS}
        self.tests = {name: test for name, test in self.tests.items() if name in _TESTS}

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        if len(source) > MAX_SOURCE:
            raise TemplateSyntaxError("the template is too long", 1, name, filename)
        tree = super()._parse(source, name, filename)
        _check(tree, name, filename)
        _weigh_literals(tree)
        _count_turns(tree)
        return tree

    def compile(self, source: Any, *args: Any, **options: Any) -> Any:
        """Code from a template's text; what was compiled before is not compiled again.

        All sandboxes write the same code for the same text under the same name, since they differ
        in their folders only; and a process makes many of them, a reload and a check one each.
        """
        if not isinstance(source, str) or len(source) > _KEPT_SOURCE:
            return super().compile(source, *args, **options)
        key = (source, *args, *sorted(options.items()))
        code = _CODE.get(key)
        if code is None:
            code = super().compile(source, *args, **options)
            if len(_CODE) >= _KEPT_TEMPLATES:
                _CODE.clear()
            _CODE[key] = code
        return code

    def getattr(self, obj: Any, attribute: str) -> Any:
        """A key of a dictionary; `loop.index` and its like; nothing else has attributes."""
        if isinstance(obj, Mapping):
            if attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: Any, argument: str | Any) -> Any:
        """A key or a position."""
        if isinstance(obj, Mapping):
            if argument in obj:
                return obj[argument]
            return self.undefined(obj=obj, name=str(argument))
        found = super().getitem(obj, argument)
        return _BUDGET.weigh(found) if isinstance(argument, slice) else found

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:  # noqa: ARG002
        """Only what a loop says about itself."""
        return type(obj).__name__ == "LoopContext" and attr in (
            "index", "index0", "first", "last", "length", "revindex", "revindex0",
        )  # fmt: skip

    def is_safe_callable(self, obj: Any) -> bool:
        """Nothing but the counters."""
        return obj in (_BUDGET.turn, _BUDGET.weigh)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Arithmetic on numbers of bounded size."""
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise SecurityError(f"'{operator}' is for numbers")
        if operator == "**" and (abs(left) > 1e6 or abs(right) > _MAX_POWER):  # noqa: PLR2004
            raise SecurityError("the power is too large")
        if abs(left) > 1e15 or abs(right) > 1e15:  # noqa: PLR2004  what a float holds exactly
            raise SecurityError("the number is too large")
        return super().call_binop(context, operator, left, right)

    def produce(self, names: Sequence[str], values: Mapping[str, Any]) -> str:
        """Render the first template file that there is, within the bounds."""
        _BUDGET.start()
        return _collect(self.select_template(list(names)), values)

    def phrase(self, source: str) -> Callable[[Mapping[str, Any]], str]:
        """A one-line template as a function of its values.

        Most phrases only put values between words: those need no engine, and say the same in a
        twentieth of the time. What is not so simple, or goes wrong, is the engine's.
        """
        plain = _plain_form(source)
        simple = plain is not None and len(source) <= MAX_SOURCE
        template = None if simple else self.from_string(source)

        def say(values: Mapping[str, Any]) -> str:
            if plain is not None and plain[1] <= values.keys():
                said = plain[0].format_map(values)
                if len(said) <= MAX_OUTPUT:
                    return said
            _BUDGET.start()
            return _collect(template or self.from_string(source), values)

        return say


def _is_markup(name: str | None) -> bool:
    """Whether what a template is given must be escaped: all but plain text and phrases."""
    return name is not None and (".html" in name or ".svg" in name)


def _plain_form(source: str) -> tuple[str, frozenset[str]] | None:
    """A phrase of words and bare names as Python's format and its names; None if it is more."""
    words = _NAME.split(source)
    literals, names = words[::2], words[1::2]
    if "\n" in source or "\r" in source or any(mark in "".join(literals) for mark in "{}"):
        return None
    if _NO_NAMES.intersection(names):
        return None
    return _NAME.sub(r"{\1}", source), frozenset(names)


def _collect(template: Any, values: Mapping[str, Any]) -> str:
    parts: list[str] = []
    size = 0
    for part in template.generate(values):
        size += len(part)
        if size > MAX_OUTPUT:
            raise SecurityError(f"the template writes more than {MAX_OUTPUT:,} characters")
        parts.append(part)
    return "".join(parts)


def _check(tree: nodes.Template, name: str | None, filename: str | None) -> None:
    for node in tree.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED) or isinstance(node, _FORBIDDEN):
            kind = type(node).__name__.lower()
            raise TemplateSyntaxError(
                f"'{kind}' may not be used in templates here", node.lineno or 1, name, filename
            )
        if isinstance(node, nodes.For) and node.recursive:
            raise TemplateSyntaxError("no recursive loops", node.lineno or 1, name, filename)


def _bounded(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter whose arguments and result are bounded; keeps Jinja's own marks on it."""

    def bounded(*args: Any, **options: Any) -> Any:
        for value in (*args[1:], *options.values()):
            if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 100_000:  # noqa: PLR2004
                raise SecurityError("the number is too large")
        try:
            result = function(*args, **options)
        except AssertionError as error:  # how Jinja refuses arguments that make no sense
            raise SecurityError(f"{function.__name__.removeprefix('do_')}: {error}") from None
        if isinstance(result, str | list | tuple) and len(result) > MAX_VALUE:
            raise SecurityError(f"a value is longer than {MAX_VALUE:,}")
        return _BUDGET.weigh(result)

    bounded.__name__ = function.__name__
    for mark in ("jinja_pass_arg",):
        if hasattr(function, mark):
            setattr(bounded, mark, getattr(function, mark))
    return bounded


__all__ = [
    "MAX_OUTPUT", "MAX_SECONDS", "Sandbox", "SecurityError", "Undefined", "shipped_templates",
    "template_folders",
]  # fmt: skip
