"""Rules about warden's own health: what they must not have, and slips in what they name."""

from __future__ import annotations

import json

import pytest

from warden.engine.kinds import KINDS
from warden.rulebook import KnownNames, schema

HEAD = "rules:\n- id: a\n  title: A\n  kind: feed\n"
STATES = "  states: [auth_failed]\n"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD, "2:3: WR011 a rule of the kind 'feed' needs the key 'states'"),
        (
            HEAD + "  states: [auth_faild]\n",
            "5:12: WR013 'auth_faild' is not a value of states; did you mean 'auth_failed'?",
        ),
        (
            HEAD + STATES + "  for: 6\n",
            "6:8: WR036 for: write a number with m, h, d or w, such as 30m, 6h or 2d",
        ),
        (
            HEAD + STATES + "  where: {country: MLI}\n",
            "6:10: WR015 'where' does nothing for the kind 'feed', which looks at no events",
        ),
        (
            HEAD + STATES + "  by: country\n",
            "6:7: WR015 'by' does nothing for the kind 'feed', which looks at no events",
        ),
        (
            HEAD + "  states: dead_letter\n  source: acled\n",
            "2:3: WR036 'source' narrows the states of sources; dead_letter is not one",
        ),
        (
            HEAD + STATES + "  sorce: acled\n",
            "6:3: WR012 unknown key 'sorce' in the rule; did you mean 'source'?",
        ),
        (
            HEAD + STATES + '  severity: [{level: critical, when: "hour > 3"}, warning]\n',
            "6:38: WR033 when: unknown name 'hour'; did you mean 'hours'?",
        ),
        (
            HEAD + STATES + "  labels: {source: x}\n",
            "6:12: WR015 the label 'source' is set by warden; use another name",
        ),
    ],
)
def test_a_fault_is_told_in_one_line(faults, text: str, line: str):
    (told,) = faults(text, kinds=KINDS)
    assert told.removeprefix("rules.yaml:").startswith(line)


def test_a_good_rule_needs_no_where(read):
    loaded = read(HEAD + STATES + "  source: acled\n  for: 90m\n", kinds=KINDS)
    assert loaded.ruleset is not None
    (rule,) = loaded.ruleset.rules
    assert rule.parameters.source == ("acled",)
    assert rule.parameters.patience_s == 5400


def test_other_kinds_still_need_a_where(faults):
    (told,) = faults("rules:\n- id: a\n  title: A\n  kind: event\n", kinds=KINDS)
    assert "WR011 the rule needs the key 'where'" in told


def test_a_source_that_the_settings_do_not_have_is_warned_of(faults):
    text = HEAD + STATES + "  source: [acled, acleed]\n"
    known = KnownNames(sources=frozenset({"acled", "inbox"}))
    assert faults(text, kinds=KINDS, known=known) == [
        "rules.yaml:6:11: WR056 no source 'acleed' in the settings; did you mean 'acled'?"
    ]
    assert faults(text, kinds=KINDS, known=KnownNames()) == []


def test_an_embargo_is_nothing_to_warn_such_a_rule_of(faults):
    known = KnownNames(embargo_days=365)
    assert faults(HEAD + STATES, kinds=KINDS, known=known) == []


def test_editors_know_such_rules():
    jsonschema = pytest.importorskip("jsonschema")
    validator = jsonschema.Draft202012Validator(json.loads(json.dumps(schema(KINDS))))
    good = {"id": "a", "title": "A", "kind": "feed", "states": "stale", "for": "6h"}
    assert validator.is_valid({"rules": [good]})
    assert not validator.is_valid({"rules": [{**good, "where": {"country": "MLI"}}]})
    assert not validator.is_valid({"rules": [{**good, "states": ["nonsense"]}]})
    assert not validator.is_valid({"rules": [{"id": "a", "title": "A", "kind": "event"}]})
