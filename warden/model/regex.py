"""How long a regular expression may take: Python's matcher backtracks, so some never end.

Standing in the flow: whoever takes an expression from an operator asks here before it is used: the
rules for actors and places, the matchers of routes and silences.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from re import _constants as opcodes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final

# The ways in which a match may go on from each place it starts at, an unbounded repetition counted
# as UNBOUNDED: one of them is allowed, or two of {0,100}. With the starting place, a hostile text
# of 2,000 characters then costs at most some tens of millions of steps.
MAX_STEPS: Final = 20_000
UNBOUNDED: Final = 2_000


class TooCostlyError(ValueError):
    """The pattern could take too long; the text goes on after "the regular expression"."""


def require_cheap(pattern: str, *, unbounded: int = UNBOUNDED, most: int = MAX_STEPS) -> None:
    """Raise `TooCostlyError` unless matching is bounded; the pattern must compile.

    Arguments:
        unbounded: how long a text may be, which is how often `*` may repeat.
        most: how many ways a match may take.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = parser.parse(pattern)
    if _Cost(unbounded).steps(tree, repeated=False) > most:
        allowed = "one unbounded repetition" if unbounded**2 > most else "two unbounded repetitions"
        raise TooCostlyError(
            f"could take unbounded time: only {allowed}; write {{0,50}} instead of * or +"
        )


class _Cost:
    """Counts the ways in which a pattern can match."""

    def __init__(self, unbounded: int) -> None:
        self._unbounded = unbounded

    def steps(self, tree: Iterable[Any], *, repeated: bool) -> float:
        """An upper bound of the ways in which a sequence can match from one place."""
        steps = 1.0
        for opcode, argument in tree:
            steps *= self._step(opcode, argument, repeated=repeated)
        return steps

    def _step(self, opcode: Any, argument: Any, *, repeated: bool) -> float:
        if opcode in (opcodes.MAX_REPEAT, opcodes.MIN_REPEAT, opcodes.POSSESSIVE_REPEAT):
            return self._repeat(argument, repeated=repeated)
        if opcode is opcodes.BRANCH:
            if repeated:
                raise TooCostlyError(
                    "could take unbounded time: alternatives ('|') within a repetition; "
                    "write them as a list of patterns"
                )
            return sum(self.steps(branch, repeated=repeated) for branch in argument[1])
        if opcode is opcodes.SUBPATTERN:
            return self.steps(argument[3], repeated=repeated)
        if opcode is opcodes.ATOMIC_GROUP:
            return self.steps(argument, repeated=repeated)
        if opcode in (
            opcodes.GROUPREF,
            opcodes.GROUPREF_EXISTS,
            opcodes.ASSERT,
            opcodes.ASSERT_NOT,
        ):
            raise TooCostlyError(
                "uses a back-reference or look-around; use all:, any: and not: instead"
            )
        return 1.0

    def _repeat(self, argument: Any, *, repeated: bool) -> float:
        low, high, body = argument
        if low == high == 1:
            return self.steps(body, repeated=repeated)
        if repeated:
            raise TooCostlyError("could take unbounded time: a repetition within a repetition")
        self.steps(body, repeated=True)
        count = self._unbounded if high is opcodes.MAXREPEAT else min(int(high), 10_000)
        return float(count if high is opcodes.MAXREPEAT else count - min(int(low), count) + 1)
