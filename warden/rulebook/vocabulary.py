"""Closed vocabularies: what event_type, sub_event_type, disorder_type and category can be."""

from __future__ import annotations

from typing import Final

from warden.model.event import EVENT_TYPES

SUB_EVENT_TYPES: Final[tuple[str, ...]] = (
    "Government regains territory",
    "Non-state actor overtakes territory",
    "Armed clash",
    "Excessive force against protesters",
    "Protest with intervention",
    "Peaceful protest",
    "Violent demonstration",
    "Mob violence",
    "Chemical weapon",
    "Air/drone strike",
    "Suicide bomb",
    "Shelling/artillery/missile attack",
    "Remote explosive/landmine/IED",
    "Grenade",
    "Sexual violence",
    "Attack",
    "Abduction/forced disappearance",
    "Agreement",
    "Arrests",
    "Change to group/activity",
    "Disrupted weapons use",
    "Headquarters or base established",
    "Looting/property destruction",
    "Non-violent transfer of territory",
    "Other",
)
DISORDER_TYPES: Final[tuple[str, ...]] = (
    "Political violence",
    "Demonstrations",
    "Strategic developments",
)
CATEGORIES: Final[tuple[str, ...]] = ("political_violence", "demonstration", "strategic")

VOCABULARIES: Final[dict[str, tuple[str, ...]]] = {
    "event_type": EVENT_TYPES,
    "sub_event_type": SUB_EVENT_TYPES,
    "disorder_type": DISORDER_TYPES,
    "category": CATEGORIES,
}
