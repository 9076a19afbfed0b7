"""Every class of malformed rule, with the one line an operator reads."""

from __future__ import annotations

import pytest

from warden.errors import Fault
from warden.geodata import countries
from warden.model.faultcodes import CODES
from warden.rulebook import render_faults

HEAD = "rules:\n- id: a\n  title: A\n  kind: event\n"
COUNT = "rules:\n- id: a\n  title: A\n  kind: count\n"
OK_WHERE = "  where: {country: MLI}\n"

RULES = {
    "an unknown key in near": (
        HEAD + "  where:\n    near: {place: bamako, withinkm: 150}\n",
        "6:27: WR012 unknown key 'withinkm' in near; did you mean 'within_km'?",
    ),
    "an unknown key of the rule": (
        HEAD + OK_WHERE + "  sevrity: info\n",
        "6:3: WR012 unknown key 'sevrity' in the rule; did you mean 'severity'?",
    ),
    "a key of where": (
        HEAD + OK_WHERE + "  location: certain\n",
        "6:3: WR012 unknown key 'location' in the rule; write it within where",
    ),
    "a key of another kind": (
        HEAD + OK_WHERE + "  window: 30d\n",
        "6:3: WR012 unknown key 'window' in the rule; it belongs to the kind count",
    ),
    "an unknown key of the file": (
        "rule:\n- id: a\n",
        "1:1: WR012 unknown key 'rule' in the file; did you mean 'rules'?",
    ),
    "a missing key": (
        "rules:\n- id: a\n  kind: event\n" + OK_WHERE,
        "2:3: WR011 the rule needs the key 'title'",
    ),
    "a missing id": (
        "rules:\n- title: A\n  kind: event\n" + OK_WHERE,
        "2:3: WR011 the rule needs the key 'id'",
    ),
    "a key twice": (
        HEAD + OK_WHERE + "  title: B\n",
        "6:3: WR003 the key 'title' stands already in line 3",
    ),
    "an id that is none": (
        "rules:\n- {id: a b, title: A, kind: event, where: {country: MLI}}\n",
        "2:8: WR019 'a b' is not an id: use letters, digits, '-', '_' and '.', at most 80 of them",
    ),
    "an unknown kind": (
        "rules:\n- {id: a, title: A, kind: cuont, where: {country: MLI}}\n",
        "2:27: WR026 unknown kind 'cuont'; did you mean 'count'?",
    ),
    "a rule that is a list": (
        "rules:\n- [a]\n",
        "2:3: WR010 a rule must be a mapping, not a list",
    ),
    "rules that are a mapping": (
        "rules: {a: 1}\n",
        "1:8: WR010 'rules:' must be a list, each rule after a '- ', not a mapping",
    ),
    "a title that is a list": (
        "rules:\n- {id: a, title: [A], kind: event, where: {country: MLI}}\n",
        "2:18: WR010 title must be a text, not a list",
    ),
    "an unknown field": (
        HEAD + "  where: {fatalites: 3}\n",
        "5:11: WR020 unknown field 'fatalites' in where; did you mean 'fatalities'?",
    ),
    "a column that is no field": (
        HEAD + "  where: {actor1: JNIM}\n",
        "5:11: WR020 unknown field 'actor1' in where; write actor: {name: …, roles: [actor1]}",
    ),
    "an empty where": (
        HEAD + "  where: {}\n",
        "5:10: WR014 'where' is empty: every event would match",
    ),
    "an empty any": (
        HEAD + "  where: {any: []}\n",
        "5:16: WR014 any is an empty list",
    ),
    "a key without a value": (
        HEAD + "  where:\n    near:\n",
        "6:10: WR014 near is empty; remove it or say what",
    ),
    "an unknown event type": (
        HEAD + "  where: {event_type: Battle}\n",
        "5:23: WR013 'Battle' is not a value of event_type; did you mean 'Battles'?",
    ),
    "an unknown sub-event type": (
        HEAD + "  where: {sub_event_type: [Armed clash, Suicide bombing]}\n",
        (
            "5:41: WR013 'Suicide bombing' is not a value of sub_event_type; "
            "did you mean 'Suicide bomb'?"
        ),
    ),
    "a glob that matches no event type": (
        HEAD + "  where: {event_type: {matches: 'War*'}}\n",
        "5:33: WR013 'war*' matches no event_type there is",
    ),
    "an unknown category": (
        HEAD + "  where: {category: violence}\n",
        "5:21: WR013 'violence' is not a value of category; did you mean 'political_violence'?",
    ),
    "an unknown country": (
        HEAD + "  where: {country: Atlantis}\n",
        "5:20: WR024 unknown country 'Atlantis'; defined: coastal",
    ),
    "an unknown place": (
        HEAD + "  where: {near: {place: bamaco, within_km: 5}}\n",
        "5:25: WR021 unknown place 'bamaco'; did you mean 'bamako'?",
    ),
    "a group of places for a place": (
        HEAD + "  where: {near: {place: towns, within_km: 5}}\n",
        "5:25: WR021 'towns' is a group of places; write places: towns",
    ),
    "an unknown line": (
        HEAD + "  where: {near: {line: rn7, within_km: 5}}\n",
        "5:24: WR023 unknown line 'rn7'; did you mean 'rn6'?",
    ),
    "an unknown area": (
        HEAD + "  where: {inside: {area: south}}\n",
        "5:26: WR023 unknown area 'south'",
    ),
    "an unknown group of actors": (
        HEAD + "  where: {actor: {group: islamist}}\n",
        "5:26: WR022 unknown group of actors 'islamist'; did you mean 'islamists'?",
    ),
    "an unknown role": (
        HEAD + "  where: {actor: {group: forces, roles: [actor3]}}\n",
        "5:42: WR013 'actor3' is not a value of roles; did you mean 'actor2'?",
    ),
    "two tests of an actor": (
        HEAD + "  where: {actor: {group: forces, matches: 'a*'}}\n",
        (
            "5:18: WR015 actor: one of group, groups, name, matches, contains, regex, type "
            "at a time; write a list for more"
        ),
    ),
    "two targets of near": (
        HEAD + "  where: {near: {place: bamako, line: rn6, within_km: 5}}\n",
        "5:17: WR015 near needs one of 'place', 'places', 'line', or 'lat' with 'lon'",
    ),
    "a latitude alone": (
        HEAD + "  where: {near: {lat: 12, within_km: 5}}\n",
        "5:17: WR011 near needs both 'lat' and 'lon'",
    ),
    "a latitude out of range": (
        HEAD + "  where: {near: {lat: 98, lon: 3, within_km: 5}}\n",
        "5:23: WR016 lat is 98; it must lie between -90 and 90",
    ),
    "a distance of zero": (
        HEAD + "  where: {near: {place: bamako, within_km: 0}}\n",
        "5:44: WR016 near within_km is 0; it must be more",
    ),
    "a distance in words": (
        HEAD + "  where: {near: {place: bamako, within_km: 5 km}}\n",
        "5:44: WR010 near within_km must be a number, not the text '5 km'",
    ),
    "a border without neighbours": (
        HEAD + "  where: {border: {of: MLI, within_km: 50}}\n",
        "5:19: WR011 border needs the key 'with'",
    ),
    "a border with itself": (
        HEAD + "  where: {border: {of: MLI, with: [MLI], within_km: 50}}\n",
        "5:35: WR037 MLI has no border with itself",
    ),
    "an unknown side": (
        HEAD + "  where: {border: {of: MLI, with: CIV, within_km: 50, side: in}}\n",
        "5:61: WR013 'in' is not a value of side; use one of any, inside, outside",
    ),
    "bounds that cannot hold": (
        HEAD + "  where: {fatalities: {gte: 5, lt: 5}}\n",
        "5:23: WR030 no fatalities lies within these bounds",
    ),
    "whole numbers between bounds that leave none": (
        HEAD + "  where: {fatalities: {gt: 3, lt: 4}}\n",
        "5:23: WR030 no fatalities lies within these bounds",
    ),
    "a negative number of deaths": (
        HEAD + "  where: {fatalities: {lt: -1}}\n",
        "5:28: WR016 fatalities lt is -1; it must be at least 0",
    ),
    "a precision that does not exist": (
        HEAD + "  where: {geo_precision: {gt: 3}}\n",
        "5:26: WR030 no geo_precision lies within these bounds",
    ),
    "between and another bound": (
        HEAD + "  where: {fatalities: {between: [1, 2], gte: 1}}\n",
        "5:33: WR015 fatalities: 'between' and another bound; keep one",
    ),
    "a date that is none": (
        HEAD + "  where: {event_date: {gte: 2024-02-30}}\n",
        "5:29: WR018 event_date gte: '2024-02-30' is not a date; write 2024-07-22",
    ),
    "dates that cannot hold": (
        HEAD + "  where: {event_date: {between: [2024-02-01, 2024-01-01]}}\n",
        "5:23: WR030 no event_date lies within these bounds",
    ),
    "a yes that is a text in YAML 1.2": (
        HEAD + "  where: {civilian_targeting: yes}\n",
        "5:31: WR010 civilian_targeting must be true or false, not the text 'yes'",
    ),
    "a regular expression that does not compile": (
        HEAD + "  where: {notes: {regex: 'ab(c'}}\n",
        "5:29: WR031 the regular expression does not compile: missing ), unterminated subpattern",
    ),
    "a regular expression that could hang": (
        HEAD + "  where: {notes: {regex: '(a+)+b'}}\n",
        (
            "5:26: WR032 the regular expression could take unbounded time: "
            "a repetition within a repetition"
        ),
    ),
    "a glob that matches everything": (
        HEAD + "  where: {location: {matches: '*'}}\n",
        "5:31: WR030 '*' matches every text there is",
    ),
    "two tests of a text": (
        HEAD + "  where: {notes: {contains: a, is: b}}\n",
        "5:18: WR015 notes: one of contains, is at a time; write a list of them",
    ),
    "an error disc below the top": (
        HEAD + "  where: {any: [{location: certain}, {country: MLI}]}\n",
        "5:28: WR015 location: certain holds for the whole rule; write it at the top of where",
    ),
    "a misspelt word for the error disc": (
        HEAD + "  where: {location: certian, country: MLI}\n",
        (
            "5:21: WR013 'certian' is not a value of location; did you mean 'certain'? "
            "For a place of that name write {matches: certian}"
        ),
    ),
    "a rule that uses itself": (
        HEAD + "  where: {use: a}\n",
        "5:16: WR034 the rules use themselves: a -> a",
    ),
    "a rule that uses an unknown one": (
        HEAD + "  where: {use: b}\n",
        "5:16: WR025 unknown rule 'b'; defined: a",
    ),
    "hours": (
        COUNT + OK_WHERE + "  window: 12h\n  condition: {gte: 3}\n",
        (
            "6:11: WR017 window: '12h' is shorter than a day; events have dates, not hours: "
            "write whole days, as 2d"
        ),
    ),
    "a window of zero": (
        COUNT + OK_WHERE + "  window: 0d\n  condition: {gte: 3}\n",
        "6:11: WR016 window: Input should be greater than 0",
    ),
    "a duration without a unit": (
        HEAD + OK_WHERE + "  max_age: 30\n",
        "6:12: WR017 max_age: 30 has no unit; write 30d for days",
    ),
    "an age of zero": (
        HEAD + OK_WHERE + "  max_age: 0d\n",
        "6:12: WR016 max_age is 0d; it must be at least 1d",
    ),
    "a missing parameter": (
        COUNT + OK_WHERE + "  condition: {gte: 3}\n",
        "2:3: WR011 a rule of the kind 'count' needs the key 'window'",
    ),
    "an unknown measure": (
        COUNT + OK_WHERE + "  measure: event\n  window: 3d\n  condition: {gte: 3}\n",
        "6:12: WR013 'event' is not a value of measure; did you mean 'events'?",
    ),
    "an unknown key of a condition": (
        COUNT + OK_WHERE + "  window: 3d\n  condition: {gte: 3, gta: 4}\n",
        "7:23: WR012 unknown key 'gta' in condition; did you mean 'gt'?",
    ),
    "a condition that always holds": (
        COUNT + OK_WHERE + "  window: 3d\n  condition: {gte: 0}\n",
        "7:14: WR036 condition: this bound holds for every day, even without any event",
    ),
    "a cooldown of single events": (
        HEAD + OK_WHERE + "  cooldown: 3d\n",
        (
            "6:3: WR015 'cooldown' does nothing for the kind 'event', "
            "where each event is an alert of its own"
        ),
    ),
    "an expression that names nothing": (
        HEAD
        + OK_WHERE
        + '  severity:\n  - {level: critical, when: "fatalities > 3 and distnce_km < 5"}'
        "\n  - info\n",
        "7:49: WR033 when: unknown name 'distnce_km'; did you mean 'distance_km'?",
    ),
    "a name of windows in a rule of events": (
        HEAD + OK_WHERE + "  severity: [{level: critical, when: value > 3}, info]\n",
        "6:38: WR033 when: unknown name 'value'",
    ),
    "an expression that calls something": (
        HEAD + OK_WHERE + "  severity: [{level: critical, when: open('x')}, info]\n",
        "6:38: WR033 when: only min, max and abs can be called",
    ),
    "an unknown level": (
        HEAD + OK_WHERE + "  severity: high\n",
        "6:13: WR013 'high' is not a value of severity; use one of info, warning, critical",
    ),
    "steps that are never reached": (
        HEAD + OK_WHERE + "  severity: [info, {level: critical, when: fatalities > 3}, warning]\n",
        "6:14: WR030 the severity steps after this one are never reached",
    ),
    "a last step with a condition": (
        HEAD + OK_WHERE + "  severity: [{level: critical, when: fatalities > 3}]\n",
        "6:14: WR030 the last severity step must have no 'when'; add '- warning'",
    ),
    "an unknown dimension": (
        HEAD + OK_WHERE + "  by: district\n",
        (
            "6:7: WR013 'district' is not a value of by; use one of actor_group, actor, admin1, "
            "admin2, country, place, border_neighbour"
        ),
    ),
    "keys by place without places": (
        HEAD + OK_WHERE + "  by: place\n",
        "6:7: WR015 'by: place' needs a 'near' with places in where",
    ),
    "keys by neighbour without a border": (
        HEAD + OK_WHERE + "  by: border_neighbour\n",
        "6:7: WR015 'by: border_neighbour' needs a 'border' in where",
    ),
    "keys by group without groups": (
        HEAD + OK_WHERE + "  by: actor_group\n",
        "6:7: WR011 'by: actor_group' needs 'groups: [...]'",
    ),
    "groups without keys by group": (
        HEAD + OK_WHERE + "  groups: [forces]\n",
        "6:11: WR015 'groups' does nothing without 'by: actor_group'",
    ),
    "a label that warden sets": (
        HEAD + OK_WHERE + "  labels: {severity: high}\n",
        "6:12: WR015 the label 'severity' is set by warden; use another name",
    ),
    "a label name with a blank": (
        HEAD + OK_WHERE + "  labels: {my theme: x}\n",
        "6:12: WR019 'my theme' is not a label name: use letters and '_'",
    ),
    "a reference that is no address": (
        HEAD + OK_WHERE + "  references: [see the wiki]\n",
        "6:16: WR019 'see the wiki' is not an http(s) address",
    ),
    "an unknown fact in update_when": (
        HEAD + OK_WHERE + "  update_when: {changed: [notes]}\n",
        (
            "6:27: WR013 'notes' is not a value of changed; use one of event_type, sub_event_type, "
            "civilian_targeting, actor_group, country"
        ),
    ),
    "a flood limit of zero": (
        HEAD + OK_WHERE + "  flood_limit: 0\n",
        "6:16: WR016 flood_limit is 0; it must lie between 1 and 1e+06",
    ),
    "a former id that is in use": (
        HEAD + OK_WHERE + "  formerly: [a]\n",
        "6:14: WR015 'a' is still the id of a rule",
    ),
    "an empty group of actors": (
        "actors: {x: {title: X}}\n",
        "1:13: WR014 the group 'x' is empty: it needs 'match' or 'groups'",
    ),
    "an empty list of patterns": (
        "actors: {x: {match: []}}\n",
        "1:21: WR014 match is an empty list",
    ),
    "groups that contain themselves": (
        "actors:\n  x: {groups: [y]}\n  y: {groups: [x]}\n",
        "3:16: WR034 the groups contain themselves: x -> y -> x",
    ),
    "an unknown nested group": (
        "actors: {x: {groups: [fores]}}\n",
        "1:23: WR022 unknown group of actors 'fores'; did you mean 'forces'?",
    ),
    "an alias twice": (
        "aliases:\n- {name: A, was: [B]}\n- {name: C, was: [b]}\n",
        "3:19: WR005 'b' is an alias already at rules.yaml:2",
    ),
    "an alias that ends before it begins": (
        "aliases:\n- {name: A, was: B, since: 2020-01-01, until: 2019-01-01}\n",
        "2:47: WR030 'until' lies before 'since'",
    ),
    "a place without coordinates": (
        "places: {x: {title: X}}\n",
        "1:13: WR011 the place 'x' needs the key 'lat'",
    ),
    "a group of unknown places": (
        "sites: {x: [katti]}\n",
        "1:13: WR021 unknown place 'katti'; did you mean 'kati'?",
    ),
    "a group of unknown countries": (
        "countries: {x: [CIV, XYZ]}\n",
        "1:22: WR024 unknown country 'XYZ'",
    ),
    "a set of unknown event types": (
        "event_types: {x: [Battles, War]}\n",
        (
            "1:28: WR013 'War' is not a value of event_type; use one of Battles, "
            "Explosions/Remote violence, Violence against civilians, Protests, Riots, "
            "Strategic developments"
        ),
    ),
    "a line of one point": (
        "lines: {x: {points: [[1, 2]]}}\n",
        "1:21: WR035 a line needs two different points",
    ),
    "a line with nothing": (
        "lines: {x: {title: X}}\n",
        "1:12: WR011 the line 'x' needs 'file' or 'points', one of them",
    ),
    "an area without its file": (
        "areas: {x: {file: no.geojson}}\n",
        "1:19: WR035 'no.geojson': no such file",
    ),
    "an override of nothing": (
        HEAD + OK_WHERE + "overrides: {b: {severity: info}}\n",
        "6:13: WR025 unknown rule 'b'; defined: a",
    ),
    "an override of an id": (
        HEAD + OK_WHERE + "overrides: {a: {id: b}}\n",
        "6:17: WR015 an override cannot change the id",
    ),
    "an unknown default": (
        "defaults: {kind: event}\n",
        "1:12: WR012 unknown key 'kind' in defaults",
    ),
}


@pytest.mark.parametrize("case", RULES, ids=lambda case: case.replace(" ", "-"))
def test_a_malformed_rule_is_one_line_at_its_place(case, faults) -> None:
    text, expected = RULES[case]
    found = faults(text)
    assert f"rules.yaml:{expected}" in found
    # Nothing else is said, but for the second key that is missing with the first.
    assert len(found) <= (2 if "place without" in case else 1)


def test_every_code_of_a_fault_is_documented(read) -> None:
    for text, _ in RULES.values():
        for fault in read(text).faults:
            assert fault.code in CODES


def test_all_faults_are_reported_at_once(faults) -> None:
    found = faults(
        {
            "a.yaml": HEAD + "  where: {fatalites: 3}\n  sevrity: info\n",
            "b.yaml": HEAD.replace("id: a", "id: b") + "  where: {event_type: Battle}\n",
        }
    )
    assert [line.split(" ")[0:2] for line in found] == [
        ["a.yaml:5:11:", "WR020"],
        ["a.yaml:6:3:", "WR012"],
        ["b.yaml:5:23:", "WR013"],
    ]


def test_an_id_defined_twice_names_both_places(faults) -> None:
    rule = HEAD + OK_WHERE
    assert faults({"a.yaml": rule, "b.yaml": rule}) == [
        "b.yaml:2:7: WR005 the rule 'a' is defined already at a.yaml:2"
    ]
    assert faults({"c.yaml": "places: {kati: {lat: 1, lon: 2}}\n"})[-1:] == [
        "c.yaml:1:10: WR005 the place 'kati' is defined already at base.yaml:6"
    ]


def test_a_fault_is_shown_with_its_line_and_a_caret(read, tmp_path) -> None:
    text = HEAD + "  where:\n    near: {place: bamako, withinkm: 150}\n"
    shown = render_faults(read(text).faults).replace(f"{tmp_path}/", "rules/")
    assert shown.split("\n") == [
        "rules/rules.yaml:6:27: WR012 unknown key 'withinkm' in near; did you mean 'within_km'?",
        "    6 |     near: {place: bamako, withinkm: 150}",
        "      |                           ^",
    ]


def test_a_fault_of_a_whole_file_has_no_caret() -> None:
    fault = Fault("x.yaml", 0, 0, "WR001", "no such file")
    assert render_faults([fault]) == "x.yaml:0:0: WR001 no such file"


def test_a_long_line_is_cut_round_the_caret() -> None:
    fault = Fault("x.yaml", 1, 300, "WR010", "wrong", "error", "x" * 299 + "!" + "y" * 300)
    lines = render_faults([fault]).split("\n")
    assert lines[1][lines[2].index("^")] == "!"
    assert len(lines[1]) < 130


def test_names_in_a_file_that_cannot_be_read_are_not_called_unknown(faults) -> None:
    found = faults(
        {
            "actors.yaml": "actors:\n  rebels: {match: ['x*'}\n",
            "rules.yaml": HEAD
            + "  where: {any: [{actor: {group: rebels}}, {actor: {group: rebel-}}]}\n",
        }
    )
    assert [line.split(" ")[1] for line in found] == ["WR002", "WR022"]
    assert "rebel-" in found[1]


MORE = {
    "an event type that is a mapping of nothing": (
        HEAD + "  where: {notes: {}}\n",
        "5:18: WR014 notes has an empty test",
    ),
    "a where that is a text": (
        HEAD + "  where: Bamako\n",
        (
            "5:10: WR010 where must be a mapping (all must hold) or a list (some must), "
            "not the text 'Bamako'"
        ),
    ),
    "an any that is a mapping": (
        HEAD + "  where: {any: {country: MLI}}\n",
        "5:16: WR010 any must be a list, not a mapping",
    ),
    "a where that is an empty list": (
        HEAD + "  where: []\n",
        "5:10: WR014 'where' is an empty list: no event can match",
    ),
    "a number without a bound": (
        HEAD + "  where: {fatalities: {}}\n",
        "5:23: WR014 fatalities has no bound; write {gte: 3}",
    ),
    "an unknown bound": (
        HEAD + "  where: {fatalities: {ge: 3}}\n",
        "5:24: WR012 unknown key 'ge' in fatalities; did you mean 'gte'?",
    ),
    "between three": (
        HEAD + "  where: {fatalities: {between: [1, 2, 3]}}\n",
        "5:33: WR010 fatalities between must be a list of two, both included, not a list",
    ),
    "an actor without a test": (
        HEAD + "  where: {actor: {roles: actor1}}\n",
        (
            "5:18: WR011 actor: needs one of group, groups, name, matches, contains, regex, type "
            "at a time; write a list for more"
        ),
    ),
    "an inside of nothing": (
        HEAD + "  where: {inside: {}}\n",
        "5:19: WR011 inside needs 'country', 'area' or 'admin1'",
    ),
    "no sub-event type that contains it": (
        HEAD + "  where: {sub_event_type: {contains: nuke}}\n",
        "5:38: WR013 no sub_event_type contains 'nuke'",
    ),
    "a truth for a text": (
        HEAD + "  where: {admin1: true}\n",
        "5:19: WR010 admin1 must be a text (put it in quotes), not true (a yes/no value)",
    ),
    "a blank text": (
        HEAD + "  where: {admin1: '  '}\n",
        "5:19: WR014 admin1 is an empty text",
    ),
    "a text that is too long": (
        f"rules:\n- {{id: a, title: {'x' * 301}, kind: event, where: {{country: MLI}}}}\n",
        "2:18: WR016 title is longer than 300 characters",
    ),
    "half a death": (
        HEAD + OK_WHERE + "  update_when: {fatalities: 1.5}\n",
        "6:29: WR010 fatalities must be a whole number, not the number '1.5'",
    ),
    "two targets of a line": (
        "lines: {x: {file: a, points: [[1, 2], [3, 4]]}}\n",
        "1:12: WR015 the line 'x' needs 'file' or 'points', not both",
    ),
    "actors that are a list": (
        "actors: [a]\n",
        "1:9: WR010 'actors:' must be a mapping of ids, not a list",
    ),
    "aliases that are a mapping": (
        "aliases: {a: b}\n",
        "1:10: WR010 'aliases:' must be a list of {name, was}, not a mapping",
    ),
    "overrides that are a list": (
        "overrides: [a]\n",
        "1:12: WR010 'overrides:' must be a mapping of rule ids, not a list",
    ),
    "an override that is a text": (
        HEAD + OK_WHERE + "overrides: {a: off}\n",
        "6:16: WR010 the override of 'a' must be a mapping, not the text 'off'",
    ),
    "defaults that are a list": (
        "defaults: [a]\n",
        "1:11: WR010 'defaults:' must be a mapping of keys for every rule, not a list",
    ),
    "labels that are a list": (
        HEAD + OK_WHERE + "  labels: [a]\n",
        "6:11: WR010 labels must be a mapping of names to texts, not a list",
    ),
    "a file that is a list": (
        "- a\n",
        "1:1: WR010 a rule file must be a mapping of keys such as 'rules:', not a list",
    ),
    "a window that is a number": (
        COUNT + OK_WHERE + "  window: 30\n  condition: {gte: 3}\n",
        "6:11: WR017 window: 30 has no unit; write 30d for days",
    ),
    "a key of the wrong shape in a parameter": (
        COUNT + OK_WHERE + "  window: 30d\n  condition: 3\n",
        "7:14: WR036 condition: Input should be a valid dictionary or instance of Bound",
    ),
}


@pytest.mark.parametrize("case", MORE, ids=lambda case: case.replace(" ", "-"))
def test_a_value_of_the_wrong_shape_is_one_line_at_its_place(case, faults) -> None:
    text, expected = MORE[case]
    assert faults(text) == [f"rules.yaml:{expected}"]


def test_an_unknown_kind_does_not_hide_the_other_faults_of_a_rule(faults) -> None:
    text = COUNT.replace("count", "cuont") + "  where: {fatalites: 1}\n  window: 3d\n  sverity: x\n"
    assert [line.split(" ")[1] for line in faults(text)] == ["WR026", "WR020", "WR012"]


def test_a_rule_whose_id_is_taken_or_bad_still_tells_its_other_faults(faults):
    found = faults(
        HEAD
        + OK_WHERE
        + "- id: a\n  title: B\n  kind: event\n  where: {country: Malli}\n"
        + "- id: a b\n  title: C\n  kind: event\n  where: {country: MLI}\n  sevrity: info\n"
        + "- title: D\n  kind: event\n  where: {country: MLI}\n  max_age: -3d\n"
    )
    assert [line.split(": ")[1][:5] for line in found] == [
        "WR005", "WR024", "WR019", "WR012", "WR011", "WR017",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("written", "meant"),
    [("Malo", "Mali"), ("Sénegale", "Sénégal"), ("Burkina Fasso", "Burkina Faso")],
)
def test_a_misspelt_country_is_told_the_nearest(read, written: str, meant: str) -> None:
    found = read(HEAD + f'  where: {{country: "{written}"}}\n', country_names=countries.names)
    (fault,) = found.faults
    assert fault.message == f"unknown country '{written}'; did you mean '{meant}'?"
