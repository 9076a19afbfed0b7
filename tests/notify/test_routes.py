import json
import textwrap
from pathlib import Path

import pytest
from helpers_notify import good_routing, routing_of
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from warden.model.located import FaultList
from warden.model.rule import AllOf, Rule, SeverityStep
from warden.notify.routes_schema import routes_schema
from warden.notify.routing import check_reach, parse_routes
from warden.rulebook.reading import read_bytes

RECEIVERS = """
receivers:
- {name: desk, email: [{to: [desk@example.org, night@example.org]}]}
- {name: partner, webhook: [{url: "https://partner.example.org/hook", secret: {secret: hook}}]}
- {name: boss, language: fr, time_zone: Africa/Bamako, email: [{to: boss@example.org}]}
"""


def names(routing, **labels):
    return [match.receiver.name for match in routing.receivers_for(labels)]


def test_without_children_the_root_takes_everything():
    routing = good_routing(RECEIVERS + "route: {receiver: desk}\n")
    assert names(routing, severity="critical") == ["desk"]


def test_the_first_matching_child_takes_an_alert_and_continue_lets_others_see_it():
    routing = good_routing(
        RECEIVERS
        + """
route:
  receiver: desk
  routes:
  - {matchers: {severity: critical}, receiver: partner, continue: true}
  - {matchers: {severity: [critical, warning]}, receiver: boss}
  - {receiver: desk}
"""
    )
    assert names(routing, severity="critical") == ["partner", "boss"]
    assert names(routing, severity="warning") == ["boss"]
    assert names(routing, severity="info") == ["desk"]


def test_a_child_has_its_parents_receiver_and_the_deepest_route_wins():
    routing = good_routing(
        RECEIVERS
        + """
route:
  receiver: desk
  group_wait: 30s
  routes:
  - matchers: ['theme="bamako"']
    routes:
    - {matchers: ['severity=~"crit.*"', 'country!="NER"'], receiver: boss}
"""
    )
    assert names(routing, theme="bamako", severity="info") == ["desk"]
    assert names(routing, theme="bamako", severity="critical") == ["boss"]
    assert names(routing, theme="bamako", severity="critical", country="NER") == ["desk"]
    match = routing.receivers_for({"theme": "bamako", "severity": "critical"})[0]
    assert (match.route.path, match.route.group_wait_s) == ("0.0", 30.0)


def test_a_label_that_is_not_there_is_the_empty_text():
    routing = good_routing(
        RECEIVERS
        + "route: {receiver: desk, routes: [{matchers: ['theme=\"\"'], receiver: boss}]}\n"
    )
    assert names(routing) == ["boss"]
    assert names(routing, theme="x") == ["desk"]


def test_regular_expressions_match_the_whole_label():
    routing = good_routing(
        RECEIVERS
        + "route: {receiver: desk, routes: [{matchers: ['rule=~\"bam\"'], receiver: boss}]}\n"
    )
    assert names(routing, rule="bamako") == ["desk"]


def test_a_receiver_named_by_two_routes_gets_one_message():
    routing = good_routing(
        RECEIVERS
        + """
route:
  receiver: desk
  routes:
  - {matchers: {severity: critical}, receiver: desk, continue: true}
  - {receiver: desk}
"""
    )
    assert names(routing, severity="critical") == ["desk"]


@pytest.mark.parametrize(
    ("first", "severity", "path"),
    [
        ("digest: {at: '06:00'}", "warning", "1"),
        ("review: true", "warning", "1"),
        ("digest: {at: '06:00'}", "info", "0"),  # no other leads there
        ("digest: {at: '06:00'}", "critical", "0"),  # what is critical is not gathered
        ("group_wait: 5m", "warning", "0"),
    ],
)
def test_of_a_receivers_routes_the_first_that_speaks_at_once_is_gone_by(first, severity, path):
    routing = good_routing(
        RECEIVERS
        + f"""
route:
  receiver: boss
  routes:
  - {{matchers: {{theme: bamako}}, receiver: desk, continue: true, {first}}}
  - {{matchers: {{severity: [warning, critical]}}, receiver: desk}}
"""
    )
    labels = {"theme": "bamako", "severity": severity}
    assert [(m.receiver.name, m.route.path) for m in routing.receivers_for(labels)] == [
        ("desk", path)
    ]
    assert routing.routes_to("desk", labels)[0].path == path


FAULTS = {
    "unknown key": ("- {name: x, emial: [{to: a@b.org}]}", "did you mean 'email'"),
    "unknown receiver": ("ROUTE receiver: dek", "no receiver is named 'dek'; did you mean 'desk'?"),
    "bad address": ("- {name: x, email: [{to: [me at home]}]}", "is not a mail address"),
    "header injection": (
        '- {name: x, email: [{to: ["a@b.org\\nBcc: c@d.org"]}]}',
        "is not a mail address",
    ),
    "letters outside ascii": ("- {name: x, email: [{to: [é@b.org]}]}", "outside ASCII"),
    "the same address twice": ("- {name: x, email: [{to: [a@b.org, A@B.org]}]}", "twice"),
    "a secret in clear": (
        "- {name: x, webhook: [{url: 'https://h.org/', secret: whsec_abc}]}",
        "write {secret: NAME}",
    ),
    "http": ("- {name: x, webhook: [{url: 'http://h.org/', secret: {secret: s}}]}", "use https:"),
    "password in url": (
        "- {name: x, webhook: [{url: 'https://u:p@h.org/', secret: {secret: s}}]}",
        "would be a secret",
    ),
    "unknown format": ("- {name: x, file: [{path: out, format: cup}]}", "did you mean 'cap'"),
    "repeat_interval": ("ROUTE repeat_interval: 4h", "write reminder: 7d in the rules"),
    "a digest without an hour": ("ROUTE digest: {days: [mon]}", "digest needs the key 'at'"),
    "a digest at no hour": ("ROUTE digest: {at: '6'}", "a time of day such as '06:30'"),
    "an unknown interval": ("ROUTE mute_time_intervals: [night]", "no time interval is named"),
    "review as text": ("ROUTE review: yess", "must be true or false"),
    "unknown language": ("- {name: x, language: de, email: [{to: a@b.org}]}", "use one of en, fr"),
    "unknown zone": ("- {name: x, time_zone: Africa/Bamaco, file: [{path: o}]}", "Africa/Bamako"),
    "nobody": ("- {name: x}", "reaches nobody"),
    "defined twice": ("- {name: desk, file: [{path: out}]}", "already in routes.yaml:3"),
    "bad matcher": ("ROUTE matchers: ['severity critical']", "is not a matcher"),
    "bad regex": ("ROUTE matchers: ['severity=~\"(\"']", "the expression '(' is wrong"),
    "days as wait": ("ROUTE group_wait: 3 days", "must be a duration such as '30s'"),
    "continue as text": ("ROUTE continue: maybe", "must be true or false"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_a_fault_is_located_and_says_what_to_do(case):
    text, said = FAULTS[case]
    if text.startswith("ROUTE "):
        written = RECEIVERS + f"route:\n  receiver: desk\n  routes:\n  - {text[6:]}\n"
    else:
        written = RECEIVERS + f"{text}\nroute: {{receiver: desk}}\n"
    _, faults = routing_of(written)
    assert any(said in fault for fault in faults), faults
    assert all(fault.startswith("routes.yaml:") for fault in faults)


def test_all_faults_of_a_file_are_found_at_once():
    _, faults = routing_of(
        "receivers:\n- {name: a, emial: x}\n- {name: b, time_zone: Nowhere, file: [{path: o}]}\n"
        "route: {receiver: c, gruop_by: [x]}\n"
    )
    assert len(faults) >= 4


def test_a_severity_that_reaches_no_human_is_an_error():
    _, faults = routing_of(
        RECEIVERS
        + """
route:
  receiver: desk
  routes:
  - {matchers: {severity: critical}, receiver: partner}
"""
    )
    assert len(faults) == 1
    assert "WR077 severity critical reaches no human" in faults[0]


def test_a_country_that_only_a_machine_hears_of_is_an_error():
    _, faults = routing_of(
        RECEIVERS
        + "route: {receiver: desk, routes: [{matchers: {country: NER}, receiver: partner}]}\n"
    )
    assert "reaches no human when country is NER" in faults[0]


def test_a_route_after_one_that_takes_everything_is_a_warning():
    _, faults = routing_of(
        RECEIVERS + "route: {receiver: desk, routes: [{receiver: boss}, {receiver: desk}]}\n"
    )
    assert "WR078 never asked" in faults[0]


def test_a_rule_that_reaches_no_human_is_an_error():
    text = (
        RECEIVERS
        + "route: {receiver: desk, routes: [{matchers: {theme: quiet}, receiver: partner}]}\n"
    )
    routing = good_routing(text)
    root = read_bytes(text.encode(), "routes.yaml", FaultList())
    nodes = {key.text: (value,) for key, value in root.entries}
    loud = Rule("loud", "t", "event", AllOf(()), None, severity=(SeverityStep("critical"),))
    quiet = Rule(
        "quiet", "t", "event", AllOf(()), None,
        severity=(SeverityStep("warning"),), labels=(("theme", "quiet"),),
    )  # fmt: skip
    faults = FaultList()
    check_reach(routing, [loud, quiet], nodes, faults)
    assert [fault.message for fault in faults.faults] == [
        "rule 'quiet' at severity warning reaches no human"
    ]


def test_the_shipped_routes_are_sound():
    text = (Path(__file__).parents[2] / "rules" / "routes.yaml").read_text()
    assert good_routing(text).receivers["desk"].human


_SCALARS = st.sampled_from(
    [
        "desk",
        "critical",
        "",
        "~",
        "true",
        "5",
        "30s",
        "a@b.org",
        "https://h.org/",
        'x=~"("',
        "é",
        "[]",
    ]
)
_KEYS = st.sampled_from(
    ["name", "email", "to", "webhook", "url", "secret", "file", "path", "receiver", "routes",
     "matchers", "continue", "group_by", "group_wait", "format", "review", "language", "time_zone",
     "digest", "at", "days", "mute_time_intervals", "source_matchers", "target_matchers", "equal",
     "time_intervals", "times", "start_time", "end_time", "weekdays", "days_of_month", "years"]
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


_SECTIONS = ("receivers", "route", "inhibit_rules", "time_intervals")


@given(st.fixed_dictionaries(dict.fromkeys(_SECTIONS, _VALUES)))
@settings(max_examples=150, deadline=None)
def test_whatever_stands_in_the_file_the_answer_is_faults_and_never_an_exception(data):
    routing, faults = routing_of(json.dumps(data))
    for labels in ({}, {"severity": "critical"}, {"country": "MLI"}):
        routing.receivers_for(labels)
    assert all(":" in fault for fault in faults)


def reached(matchers):
    """The faults of a route with these matchers, beside one rule with the label `theme`."""
    text = f"receiver: desk\nroutes:\n- {{matchers: {matchers}, receiver: boss}}\n"
    faults = FaultList()
    routing = good_routing(RECEIVERS + "route:\n" + textwrap.indent(text, "  "))
    nodes = {"route": (read_bytes(text.encode(), "routes.yaml", faults),)}
    rule = Rule(
        "loud", "Loud", "event", AllOf(()), None, severity=(SeverityStep("warning"),),
        labels=(("theme", "quiet"),),
    )  # fmt: skip
    check_reach(routing, [rule], nodes, faults)
    return faults.faults


@pytest.mark.parametrize(
    ("matchers", "severity", "said"),
    [
        (
            "{severty: critical}",
            "error",
            "no rule has the label 'severty'; did you mean 'severity'?",
        ),
        ("{severity: criticl}", "error", "'criticl' is no severity; did you mean 'critical'?"),
        ('[severity="hi"]', "error", "'hi' is no severity"),
        ("{action: canceled}", "error", "'canceled' is no action; did you mean 'cancel'?"),
        ("{rule: lod}", "error", "no rule has the id 'lod'; did you mean 'loud'?"),
        ("{zone7: x}", "warning", "no rule has the label 'zone7'"),
    ],
)
def test_a_matcher_that_no_alert_can_satisfy_is_told(matchers, severity, said):
    faults = reached(matchers)
    (fault,) = faults
    assert fault.message.startswith(said)
    assert (fault.severity, fault.code, fault.line) == (severity, "WR071", 3)


def checked(text, rules=()):
    """All faults of these routes, as `warden check` finds them."""
    found = FaultList()
    root = read_bytes(text.encode(), "routes.yaml", found)
    nodes = {key.text: (value,) for key, value in root.entries}
    check_reach(parse_routes(nodes, found), rules, nodes, found)
    return [(fault.code, fault.severity, fault.message) for fault in found.sorted()]


QUIET = Rule("loud", "Loud", "event", AllOf(()), None, severity=(SeverityStep("warning"),))


def test_a_label_to_group_by_that_nobody_sets_is_told():
    told = checked(
        RECEIVERS + "route: {receiver: desk, group_by: [cycle, countri, zone7]}\n", [QUIET]
    )
    assert [one[:2] for one in told] == [("WR071", "error"), ("WR071", "warning")]
    assert told[0][2] == "no rule has the label 'countri' to group by; did you mean 'country'?"
    assert told[1][2].endswith("'zone7' to group by: it separates nothing")


def test_several_faults_are_told_at_once():
    text = RECEIVERS.replace("https://partner", "ftp://partner") + textwrap.dedent("""
        route:
          receiver: desk
          routes:
          - {matchers: {severty: info}, receiver: desk}
          - {matchers: {severity: critical}, receiver: partner}
        """)
    codes = [one[0] for one in checked(text, [QUIET])]
    assert codes == ["WR072", "WR077", "WR071"]


def test_without_rules_the_values_that_never_change_are_looked_at():
    text = RECEIVERS + "route: {receiver: desk, routes: [{matchers: {severity: hi, x: y}}]}\n"
    assert [one[0] for one in checked(text, None)] == ["WR071"]


def test_a_receiver_that_a_fault_took_away_is_not_missed():
    text = "receivers:\n- {name: desk, emial: [{to: [desk@example.org]}]}\n"
    codes = {one[0] for one in checked(text + "route: {receiver: desk}\n", [QUIET])}
    assert "WR077" not in codes


@pytest.mark.parametrize(
    "matchers",
    ['[severity=~"crit.*"]', "{theme: other}", "{admin1: Kayes}", '["theme!=x"]', "{rule: loud}"],
)
def test_a_matcher_that_some_alert_may_satisfy_is_not_told(matchers):
    faults = reached(matchers)
    assert faults == []


SOUND = (
    RECEIVERS
    + """
route:
  receiver: desk
  group_by: [country]
  group_interval: 5m
  routes:
  - matchers: {severity: info}
    digest: {at: "06:00", days: [mon-fri, sun]}
    mute_time_intervals: [night]
    review: false
  - {matchers: {severity: critical}, receiver: partner, continue: true}
  - {receiver: desk, active_time_intervals: [night], matchers: {severity: info}, continue: true}
  - {receiver: desk}
inhibit_rules:
- {source_matchers: {severity: critical}, target_matchers: ['severity="info"'], equal: [country]}
time_intervals:
- name: night
  time_intervals:
  - times: [{start_time: "22:00", end_time: "24:00"}, {start_time: "00:00", end_time: "06:00"}]
    location: Africa/Bamako
"""
)


def test_all_of_alertmanagers_words_are_read_and_what_is_a_childs_own_is_not_inherited():
    routing = good_routing(SOUND)
    info, *_, last = routing.root.routes
    assert (info.group_interval_s, last.group_interval_s) == (300.0, 300.0)
    assert info.hours.mute[0].name == "night"
    assert (last.digest, last.hours.mute, last.review) == (None, (), False)
    assert routing.inhibit_rules[0].equal == ("country",)


def test_the_schema_takes_what_is_sound_and_refuses_what_is_not():
    validator = Draft202012Validator(routes_schema())
    data = read_bytes(SOUND.encode(), "routes.yaml", FaultList()).data()
    assert list(validator.iter_errors(data)) == []
    data["route"]["routes"][0]["digest"]["at"] = "6 o'clock"
    data["inhibit_rules"][0].pop("target_matchers")
    data["time_intervals"][0]["time_intervals"][0]["hours"] = []
    assert len(list(validator.iter_errors(data))) >= 3


INHIBIT = RECEIVERS + "route: {receiver: desk}\ninhibit_rules:\n- "
MORE_FAULTS = {
    "a rule against itself": (
        INHIBIT + "{source_matchers: {kind: spike}, target_matchers: ['kind=spike']}",
        "WR087 source and target are the same",
    ),
    "no target": (INHIBIT + "{source_matchers: {kind: spike}}", "needs the key 'target_matchers'"),
    "an empty source": (
        INHIBIT + "{source_matchers: {}, target_matchers: {kind: spike}}",
        "WR014 source_matchers is empty",
    ),
    "an unknown key": (
        INHIBIT + "{source_match: {kind: spike}, target_matchers: {kind: drift}}",
        "did you mean 'source_matchers'?",
    ),
    "a label nobody has in equal": (
        INHIBIT
        + "{source_matchers: {kind: spike}, target_matchers: {kind: drift}, equal: [contry]}",
        "no rule has the label 'contry'; did you mean 'country'?",
    ),
    "a misspelt source": (
        INHIBIT + "{source_matchers: {severity: critcal}, target_matchers: {kind: drift}}",
        "'critcal' is no severity",
    ),
    "a muted root": (
        RECEIVERS + "route: {receiver: desk, mute_time_intervals: [x]}",
        "WR076 the root route has no 'mute_time_intervals'",
    ),
    "'...' beside others": (
        RECEIVERS + "route: {receiver: desk, group_by: ['...', rule]}",
        "WR015 '...' stands alone",
    ),
    "an interval without use": (
        RECEIVERS + "route: {receiver: desk, group_interval: 5m}",
        "WR015 group_interval does nothing while group_by has 'cycle'",
    ),
    "an interval twice": (
        SOUND + "- {name: night, time_intervals: [{years: [2024]}]}",
        "WR005 time interval 'night' is defined already",
    ),
    "a digest of what is critical": (
        RECEIVERS
        + "route: {receiver: desk, routes: [{matchers: {severity: critical}, "
        "digest: {at: '06:00'}}]}",
        "WR088 critical alerts that this route takes wait for its digest",
    ),
    "what is critical waits out a mute": (
        SOUND.replace(
            "{receiver: desk, active_time_intervals: [night], matchers: {severity: info}, "
            "continue: true}",
            "{matchers: {severity: critical}, mute_time_intervals: [night]}",
        ),
        "WR089 severity critical waits while every route to a human is muted",
    ),
    "only a reviewed receiver": (
        RECEIVERS.replace("boss,", "boss, review: true,")
        + "route: {receiver: desk, routes: [{matchers: {severity: critical}, receiver: boss}]}",
        "WR077 severity critical reaches no human",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", MORE_FAULTS)
def test_what_is_wrong_with_routes_is_told(case):
    text, said = MORE_FAULTS[case]
    told = [f"{code} {message}" for code, _, message in checked(text, [QUIET])]
    assert any(said in one for one in told), told
