"""How people judged a rule's alerts is said in its messages, in both languages."""

import json

import pytest
from helpers_notify import NOW, notice

from warden.notify.render import Renderer
from warden.notify.routes import Receiver


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Of this rule's alerts that people judged, 7 of 9 were found true."),
        (
            "fr",
            "Parmi les alertes jugées de cette règle, 7 sur 9 se sont avérées.",
        ),
    ],
)
def test_a_rules_precision_is_told_where_there_are_verdicts(language, sentence):
    reader = Receiver("desk", language)

    def text(facts):
        made = Renderer().render(reader, [notice(facts=facts)], NOW, {"mail"})
        assert made.fallback == ""
        return " ".join(json.loads(made.bodies["mail"])["text"].split())

    facts = notice().facts
    assert sentence in text({**facts, "precision": {"true": 7, "judged": 9}})
    without = {name: value for name, value in facts.items() if name != "precision"}
    assert "judged" not in text(without)
    assert "jugées" not in text(without)
