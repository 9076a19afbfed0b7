from helpers_notify import NOW, good_routing, later, notice

from warden.notify import plan
from warden.notify.routes import Routing

ROUTING = good_routing("""
receivers:
- {name: desk, email: [{to: [desk@example.org]}]}
- {name: boss, email: [{to: [boss@example.org]}]}
route:
  receiver: desk
  routes:
  - {matchers: {severity: critical}, receiver: boss, continue: true}
  - {matchers: {country: NER}, receiver: desk, group_by: [country, rule], group_wait: 30s}
  - {receiver: desk}
""")


def planned(notices, told=None, routing=ROUTING):
    return [
        (d.receiver, d.action, d.withheld)
        for d in plan.dispatches(notices, routing, NOW, told or {})
    ]


def test_matchers_see_the_rules_labels_the_key_and_what_warden_knows():
    labels = plan.labels_of(notice(key=(("place", "bamako"),), labels=(("rule", "liar"),)))
    assert labels == {
        "country": "MLI",
        "place": "bamako",
        "rule": "sample-rule",
        "severity": "critical",
        "action": "alert",
        "kind": "event",
    }


def test_an_alert_goes_to_every_receiver_that_the_routes_name():
    assert planned([notice()]) == [("boss", "alert", None), ("desk", "alert", None)]


def test_an_update_also_goes_to_those_who_were_told_before():
    told = {"a1": {"boss", "desk"}}
    assert planned([notice(action="update", severity="warning")], told) == [
        ("desk", "update", None),
        ("boss", "update", None),
    ]


def test_an_end_or_a_withdrawal_goes_only_to_those_who_were_told():
    assert planned([notice(action="cancel")], {"a1": {"desk"}}) == [
        ("boss", "cancel", "NEVER_TOLD"),
        ("desk", "cancel", None),
    ]


def test_a_receiver_who_was_told_and_is_gone_is_recorded():
    assert planned([notice(action="resolved")], {"a1": {"old"}})[-1] == (
        "old",
        "resolved",
        "RECEIVER_REMOVED",
    )


def test_notices_of_one_cycle_share_a_group_and_those_grouped_by_label_wait():
    one, two = notice(1, severity="warning"), notice(2, alert="a2", severity="warning")
    keys = {d.group_key for d in plan.dispatches([one, two], ROUTING, NOW, {})}
    assert len(keys) == 1
    away = notice(3, severity="info")
    away.facts["events"][0]["iso3"] = "NER"
    dispatch = plan.dispatches([away], ROUTING, NOW, {})[0]
    assert dispatch.due_at == later(30)
    assert "country=NER|rule=sample-rule" in dispatch.group_key


def test_a_summary_speaks_of_the_alerts_it_lists():
    summary = notice(action="summary", items=({"alert_id": "x"}, {"alert_id": "y"}))
    assert plan.dispatches([summary], ROUTING, NOW, {})[0].alert_ids == ("a1", "x", "y")


def test_without_routes_nobody_gets_anything():
    assert planned([notice()], routing=Routing({})) == []
