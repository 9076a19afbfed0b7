"""What was counted, in words: the measures of rules.

Standing in the flow: below the first line, the body and the pictures, which all name measures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from warden.notify.render.parts import clean
from warden.notify.render.voice import Voice


def measure_of(facts: Mapping[str, Any]) -> str:
    """What was counted: the measure that stood out, else the one that the rule names."""
    measure = facts.get("measure") or (facts.get("condition") or {}).get("measure")
    return measure if isinstance(measure, str) else "events"


def measure_words(measure: str, voice: Voice, number: float = 2) -> str:
    """What a measure counts, of so many; its own text where no words are known."""
    plain = re.sub(r"[^a-z0-9]+", "_", measure.casefold()).strip("_")
    key = f"measure.{plain}"
    return voice.say(key, number) if voice.has(key) else clean(measure)
