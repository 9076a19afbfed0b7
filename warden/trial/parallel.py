"""A backtest on several processor cores: each process tries some of the rules.

Standing in the flow: `backtest.run` with more than one process. Rules know nothing of each other
but for one thing: the weekly summary of what was too old to tell is due for all of them at once. So
each process decides and says, and the parent, which holds no rules, adds the summaries.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from multiprocessing.connection import Connection
from typing import Any

from warden.collector import collector_sparing
from warden.engine.geo.geography import Geography
from warden.model.rule import Ruleset
from warden.trial.history import History
from warden.trial.trial import Instant, Matched, Said, Trial, match_rules

WORTH = 2_000_000  # events times instants from which a second process pays
# Roughly how the time of a backtest divides over rules of each kind, and over the events that
# they match; the unit is about a millisecond of processor time over eight years of weeks.
_WEIGHT = {"event": 100, "count": 750, "spike": 700, "projection": 450, "record": 500, "drift": 250}
_WEIGHT_OTHERS = 200
_WEIGHT_A_MATCH = {"event": 0.45}


def cores() -> int:
    """How many processes can share the work; 1 where a process cannot be copied."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return 1
    return len(os.sched_getaffinity(0))


def shares(matched: Sequence[Matched], processes: int) -> list[list[Matched]]:
    """The rules in as many parts, none much more work than another.

    Rules of kind `drift` stay together: they share thresholds that take half a second to find.
    """
    drifts = [one for one in matched if one.rule.kind == "drift"]
    units = [[one] for one in matched if one.rule.kind != "drift"] + ([drifts] if drifts else [])
    parts: list[tuple[float, int, list[Matched]]] = [(0.0, n, []) for n in range(processes)]
    for unit in sorted(units, key=_work_of, reverse=True):
        work, number, part = min(parts, key=lambda part: part[:2])
        parts[number] = (work + _work_of(unit), number, [*part, *unit])
    return [part for _, _, part in parts if part]


def _work_of(unit: Sequence[Matched]) -> float:
    return sum(
        _WEIGHT.get(one.rule.kind, _WEIGHT_OTHERS)
        + _WEIGHT_A_MATCH.get(one.rule.kind, 0.0) * len(one.rows)
        for one in unit
    )


def steps(
    ruleset: Ruleset,
    geography: Geography,
    history: History,
    instants: Sequence[Instant],
    *,
    located: bool,
    processes: int,
) -> Iterator[tuple[Said, ...]]:
    """What a `Trial` of all rules would say at each instant."""
    context = multiprocessing.get_context("fork")
    matched = match_rules(ruleset, geography, history)  # once: who is copied finds it made
    parent = Trial(ruleset, geography, history, located=located, matched=())
    order = {rule.id: number for number, rule in enumerate(ruleset.rules)}
    workers: list[tuple[Any, Connection]] = []
    try:
        for part in shares(matched, processes):
            ours, theirs = context.Pipe(duplex=False)
            make = partial(Trial, ruleset, geography, history, located=located, matched=part)
            # A copied process must not hold the ends that the parent reads: whoever writes to a
            # parent that is gone must notice.
            arguments = (theirs, [ours, *(pipe for _, pipe in workers)], make, instants)
            worker = context.Process(target=_work, args=arguments, daemon=True)
            worker.start()
            theirs.close()
            workers.append((worker, ours))
        for instant in instants:
            answers = [_answer(pipe) for _, pipe in workers]
            said = [one for answer in answers for one in answer[0]]
            said.sort(key=lambda one: order[one.notice.rule_id])
            yield parent.conclude(said, [one for answer in answers for one in answer[1]], instant)
    finally:
        for worker, pipe in workers:
            pipe.close()
            worker.terminate()
            worker.join()


def _answer(pipe: Connection) -> Any:
    try:
        answer = pipe.recv()
    except EOFError:
        raise RuntimeError("a process of the backtest ended before its work was done") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _work(
    pipe: Connection,
    inherited: Sequence[Connection],
    make: Callable[[], Trial],
    instants: Sequence[Instant],
) -> None:
    """In a process of its own: decide at each instant, hand over what the parent must know."""
    for end in inherited:
        end.close()
    with suppress(BrokenPipeError, KeyboardInterrupt), collector_sparing():
        try:
            trial = make()
            trial.foresee(instants[-1])
            told: set[str] = set()
            for instant in instants:
                said, decisions = trial.decide(instant)
                old = [
                    one
                    for one in decisions
                    if one.alert.silence_reason == "HISTORIC" or one.alert.id in told
                ]
                told.update(one.alert.id for one in old)
                trial.keep(decisions)
                pipe.send((said, old))
        except Exception as error:  # noqa: BLE001 - handed over, raised where the backtest is run
            pipe.send(error)
