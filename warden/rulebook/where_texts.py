"""Texts in `where`: values, lists and tests; closed vocabularies; countries.

Standing in the flow: a part of `where`.
"""

from __future__ import annotations

from typing import Literal

from warden.model.located import Node, shown
from warden.model.rule import Predicate, Text, TextTest
from warden.model.text import fold, glob_matches
from warden.rulebook.context import Context, Pattern
from warden.rulebook.language import TEXT_TEST_KEYS
from warden.rulebook.patterns import check_glob, check_regex
from warden.rulebook.vocabulary import VOCABULARIES


class Texts:
    """Reads text fields."""

    def __init__(self, context: Context) -> None:
        self._context = context

    def text_field(self, name: str, node: Node) -> Predicate | None:
        """A text field: a value, a list of values, or tests of other kinds."""
        if name == "country":
            codes = self._context.names.countries(node, "country")
            return _text("country", [TextTest("is", fold(code)) for code in codes])
        vocabulary = VOCABULARIES.get(name)
        if vocabulary is not None:
            return self._closed(name, node, vocabulary)
        return _text(name, self.tests(name, node))

    def tests(self, name: str, node: Node) -> list[TextTest]:
        """Tests of one text; gathered as patterns to be checked against known names."""
        tests: list[TextTest] = []
        for item in self.alternatives(node, name):
            made = self._mapped_tests(name, item) if item.kind == "mapping" else []
            if item.kind != "mapping":
                text = self._context.reader.text(item, name)
                made = [(TextTest("is", fold(text)), item)] if text is not None else []
            for test, place in made:
                tests.append(test)
                self._context.patterns.append(Pattern(name, test, place))
        return tests

    def alternatives(self, node: Node, what: str) -> tuple[Node, ...]:
        """A mapping by itself, or the members of a list."""
        return (node,) if node.kind == "mapping" else self._context.reader.items(node, what)

    def _mapped_tests(self, name: str, node: Node) -> list[tuple[TextTest, Node]]:
        found = self._context.reader.mapping(node, name, TEXT_TEST_KEYS)
        if not found:
            if found is not None and not node.entries:
                self._context.faults.error(node, "WR014", f"{name} has an empty test")
            return []
        if len(found) > 1:
            self._context.faults.error(
                node, "WR015", f"{name}: one of {', '.join(found)} at a time; write a list of them"
            )
            return []
        op, value = next(iter(found.items()))
        tests = []
        for text, item in self._context.reader.texts(value, f"{name} {op}"):
            test = self.test(op, text, item)
            if test is not None:
                tests.append((test, item))
        return tests

    def test(self, op: str, text: str, node: Node) -> TextTest | None:
        """One checked and folded test."""
        if op == "matches":
            glob = check_glob(node, text, self._context.faults)
            return None if glob is None else TextTest("matches", glob)
        if op == "regex":
            pattern = check_regex(node, text, self._context.faults)
            return None if pattern is None else TextTest("regex", pattern)
        folded = fold(text)
        if not folded:
            self._context.faults.error(node, "WR014", f"{shown(text)} is an empty text")
            return None
        return TextTest("contains" if op == "contains" else "is", folded)

    def _closed(self, name: str, node: Node, vocabulary: tuple[str, ...]) -> Predicate | None:
        """A field whose values are a closed list: unknown ones are errors."""
        by_fold = {fold(value): value for value in vocabulary}
        tests: list[TextTest] = []
        for item in self.alternatives(node, name):
            if item.kind == "mapping":
                for test, place in self._mapped_tests(name, item):
                    self._check_closed(name, test, place, tuple(by_fold))
                    tests.append(test)
                continue
            text = self._context.reader.text(item, name)
            if text is None:
                continue
            if name == "event_type" and text in self._context.definitions.event_types:
                types = self._context.definitions.event_types[text]
                tests.extend(TextTest("is", fold(value)) for value in types)
            elif fold(text) in by_fold:
                tests.extend(_closed_tests(name, fold(text)))
            else:
                sets = self._context.definitions.event_types if name == "event_type" else {}
                self._unknown_value(item, name, text, (*vocabulary, *sets))
        return _text(name, list(dict.fromkeys(tests)))

    def _unknown_value(self, node: Node, name: str, text: str, choices: tuple[str, ...]) -> None:
        if name == "event_type" and self._context.names.stands_in_a_broken_file(text):
            return
        self._context.reader.not_one_of(node, name, text, choices)

    def _check_closed(self, name: str, test: TextTest, node: Node, values: tuple[str, ...]) -> None:
        if test.op == "matches" and not any(glob_matches(test.value, v) for v in values):
            self._context.faults.error(
                node, "WR013", f"{shown(test.value)} matches no {name} there is"
            )
        if test.op == "contains" and not any(test.value in v for v in values):
            self._context.faults.error(node, "WR013", f"no {name} contains {shown(test.value)}")


def _closed_tests(name: str, folded: str) -> list[TextTest]:
    """`disorder_type` may name two at once ("Political violence; Demonstrations")."""
    op: Literal["is", "contains"] = "contains" if name == "disorder_type" else "is"
    return [TextTest(op, folded)]


def _text(name: str, tests: list[TextTest]) -> Text | None:
    return Text(name, tuple(tests)) if tests else None
