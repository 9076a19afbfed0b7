"""What a rule says of itself, in the reader's language where its author translated it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from warden.model.notice import Notice

_TEXTS = ("title", "description", "runbook")


def in_language(notice: Notice, language: str) -> Notice:
    """The notice with the rule's texts and names as translated; what is not stays as it is.

    Falls back from a country's variant to the language itself: `pt_BR` to `pt`.
    """
    every = notice.facts.get("translations") or {}
    told: dict[str, Any] = {**every.get(language.partition("_")[0], {}), **every.get(language, {})}
    if not told:
        return notice
    facts = dict(notice.facts)
    facts |= {name: told[name] for name in _TEXTS if told.get(name)}
    names: Mapping[str, str] = told.get("names") or {}
    if names:
        facts["names"] = {
            key: names.get(title, title) for key, title in (facts.get("names") or {}).items()
        }
        facts["condition"] = {
            name: _renamed(value, names) if name in _NAMES else value
            for name, value in (facts.get("condition") or {}).items()
        }
        facts["events"] = [_placed(event, names) for event in facts.get("events") or ()]
    return replace(notice, title=told.get("title") or notice.title, facts=facts)


_NAMES = frozenset({"actor_groups", "places", "place_title", "line", "region"})


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_renamed(one, names) for one in value]
    return names.get(value, value) if isinstance(value, str) else value


def _placed(event: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    title = str(event.get("place_title"))
    return {**event, "place_title": names[title]} if title in names else event
