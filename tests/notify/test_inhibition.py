"""Which alert holds back which: Alertmanager's cases, and circles."""

import pytest

from warden.notify.inhibition import Inhibitor, InhibitRule, Source
from warden.notify.silences import compiled


def rule(source, target, *equal):
    return InhibitRule(compiled((source,)), compiled((target,)), equal)


def told(name, **labels):
    return Source(name, labels, labels.get("severity", "warning"), told=True)


def untold(name, **labels):
    return Source(name, labels, labels.get("severity", "warning"), told=False)


CASES = [
    # The rule's equal labels, the source's labels, the target's, whether it is held back.
    ((), {"s": "1"}, {"t": "1"}, True),
    ((), {"s": "1"}, {"t": "2"}, False),
    ((), {"s": "2"}, {"t": "1"}, False),
    (("e",), {"s": "1", "e": "x"}, {"t": "1", "e": "x"}, True),
    (("e",), {"s": "1", "e": "x"}, {"t": "1", "e": "y"}, False),
    (("e",), {"s": "1"}, {"t": "1"}, True),  # missing on both sides is equal
    (("e",), {"s": "1", "e": "x"}, {"t": "1"}, False),
    (("e", "f"), {"s": "1", "e": "x", "f": "z"}, {"t": "1", "e": "x", "f": "y"}, False),
    ((), {"s": "1", "t": "1"}, {"t": "1"}, True),  # the target matches one side only
    ((), {"s": "1"}, {"s": "1", "t": "1"}, True),
    ((), {"s": "1", "t": "1"}, {"s": "1", "t": "1"}, False),  # both match both sides
]


@pytest.mark.parametrize(("equal", "source", "target", "held"), CASES)
def test_a_rule_holds_back_as_alertmanagers_does(equal, source, target, held):
    inhibitor = Inhibitor([rule("s=1", "t=1", *equal)], [told("source", **source)])
    assert inhibitor.by("target", target) == ("source" if held else "")


def test_an_alert_never_holds_back_itself():
    inhibitor = Inhibitor([rule("s=1", "t=1")], [told("a", s="1")])
    assert inhibitor.by("a", {"t": "1"}) == ""


def test_what_is_itself_held_back_holds_nothing_back():
    rules = [rule("s=1", "t=1"), rule("t=1", "u=1")]
    chain = [told("a", s="1"), untold("b", t="1"), untold("c", u="1")]
    inhibitor = Inhibitor(rules, chain)
    assert inhibitor.by("b", {"t": "1"}) == "a"
    assert inhibitor.by("c", {"u": "1"}) == ""


def test_in_a_circle_the_gravest_speaks_and_what_only_the_silent_would_hold_back():
    rules = [rule("n=1", "n=2"), rule("n=2", "n=3"), rule("n=3", "n=1")]
    severities = {"1": "info", "2": "critical", "3": "warning"}
    sources = [untold(name, n=name, severity=level) for name, level in severities.items()]
    inhibitor = Inhibitor(rules, sources)
    held = {name: inhibitor.by(name, {"n": name}) for name in severities}
    assert held == {"1": "", "2": "", "3": "2"}
