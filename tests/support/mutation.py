"""Damage for fuzzing: bytes changed blindly, and documents changed in their own structure.

Everything comes from one `random.Random`, so that a seed and a number name an input for ever.
"""

from __future__ import annotations

import copy
import csv
import io
import json
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import yaml

TOKENS = (
    b"\x00", b"\xff", b"\xed\xa0\x80", b"\xef\xbb\xbf", b"\xe2\x80\xa8", b"\r", b"\n", b"\t",
    b"'", b'"', b"`", b"{", b"}", b"[", b"]", b"{{", b"}}", b"{%", b"%}", b"<", b">", b"&x ", b"*x",
    b"!!", b": ", b"- ", b"#", b"---\n", b"...\n", b"|\n", b"? ", b"~", b"NaN", b"1e999", b"-0",
    b"9223372036854775808", b"0x10", b"null", b"true", b"../../etc/passwd", b"%s", b"$(id)",
    b"\\u0000", b"\\ud800", b"(" * 60, b"a" * 2000, "İßſ".encode(), "\u202e".encode(),
)  # fmt: skip
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63) - 1, 10**400, 0.1, -0.0, 1e308, 91.0,
    float("inf"), float("nan"), "", " ", "0", "-1", "1e9", "x", "x" * 3000, "a\nb", "a\tb",
    "{{ x }}", "\x00", "\u202e", "é", "*", "?", "a: *", "0001-01-01", "9999-12-31", "2024-02-30",
    "30d", "0d", "99999999d", ">= 3", "fatalities >= 10", "1 / 0", "9 ** 9", "(" * 50, "https://[",
    "@", "[]", "never", [], [[]], {}, {"a": {}}, {"": 1}, ["x"] * 300, list(range(50)),
)  # fmt: skip
_DEEP = 60

Mutator = Callable[[random.Random, bytes, Sequence[bytes]], bytes]
_Place = tuple[Any, Any]  # what holds a node, and under which key


def damaged(rng: random.Random, data: bytes, others: Sequence[bytes] = ()) -> bytes:
    """The bytes with one to eight blind changes."""
    made = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3, 8))):
        place = rng.randrange(len(made) + 1)
        span = min(rng.choice((1, 1, 4, 16, 200)), len(made) - place)
        change = rng.randrange(7)
        if change == 0 and place < len(made):
            made[place] ^= 1 << rng.randrange(8)
        elif change == 1:
            del made[place : place + span]
        elif change == 2:
            made[place:place] = made[place : place + span] * rng.choice((1, 2, 50))
        elif change == 3:
            made[place:place] = rng.choice(TOKENS)
        elif change == 4:
            del made[place:]
        elif change == 5 and others:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            made[place:] = other[start:]
        else:
            made[place : place + span] = rng.randbytes(span)
    return bytes(made[: 1 << 20])


def twisted(rng: random.Random, tree: Any) -> Any:
    """A tree of mappings, lists and scalars with one to four of its nodes changed."""
    made = copy.deepcopy(tree)
    for _ in range(rng.choice((1, 1, 2, 4))):
        places = list(_places(made))
        if not places:
            return rng.choice(ODD)
        rng.choice(_TWISTS)(rng, rng.choice(places), places)
    return made


def _places(node: Any) -> Iterator[_Place]:
    """Every node below this one, as what holds it and under which key."""
    keys = range(len(node)) if isinstance(node, list) else node
    for key in keys if isinstance(node, dict | list) else ():
        yield node, key
        yield from _places(node[key])


def _odd(rng: random.Random, place: _Place, _places: Sequence[_Place]) -> None:
    parent, key = place
    parent[key] = copy.deepcopy(rng.choice(ODD))


def _gone(_rng: random.Random, place: _Place, _places: Sequence[_Place]) -> None:
    parent, key = place
    del parent[key]


def _copied(rng: random.Random, place: _Place, places: Sequence[_Place]) -> None:
    (parent, key), (other, name) = place, rng.choice(places)
    parent[key] = copy.deepcopy(other[name])


def _renamed(rng: random.Random, place: _Place, _places: Sequence[_Place]) -> None:
    parent, key = place
    if isinstance(parent, dict):
        parent[str(rng.choice(ODD))] = parent.pop(key)
    else:
        parent.append(copy.deepcopy(parent[key]))


def _wrapped(rng: random.Random, place: _Place, _places: Sequence[_Place]) -> None:
    parent, key = place
    for _ in range(rng.choice((1, 3, _DEEP))):
        parent[key] = [parent[key]]


def _misspelt(rng: random.Random, place: _Place, _places: Sequence[_Place]) -> None:
    parent, key = place
    text = str(parent[key]).encode("utf-8", "surrogatepass")
    parent[key] = damaged(rng, text).decode("utf-8", "replace")


_TWISTS = (_odd, _odd, _gone, _copied, _renamed, _wrapped, _misspelt)


def yaml_mutant(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """YAML with a changed tree, or with changed bytes."""
    if rng.random() < 0.4:
        return damaged(rng, data, others)
    tree = twisted(rng, yaml.safe_load(data))
    return yaml.safe_dump(tree, allow_unicode=True, sort_keys=False).encode("utf-8", "replace")


def json_mutant(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """JSON with a changed tree, or with changed bytes."""
    if rng.random() < 0.3:
        return damaged(rng, data, others)
    return json.dumps(twisted(rng, json.loads(data))).encode("utf-8", "replace")


def csv_mutant(rng: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """CSV with changed cells, rows and columns, or with changed bytes."""
    if rng.random() < 0.4:
        return damaged(rng, data, others)
    rows: Any = twisted(rng, list(csv.reader(io.StringIO(data.decode()))))
    if rng.random() < 0.3:
        rng.shuffle(rows)
    out = io.StringIO()
    writer = csv.writer(out, delimiter=rng.choice(",;\t|"))
    for row in rows if isinstance(rows, list) else []:
        writer.writerow(row if isinstance(row, list) else [row])
    return out.getvalue().encode("utf-8", "replace")
