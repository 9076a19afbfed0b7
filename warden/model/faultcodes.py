"""The codes that faults of an operator's files carry; one registry, from which docs are made."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FaultCode:
    """A kind of fault.

    Attributes:
        code: stable from release to release.
        meaning: what is wrong, as the documentation's table says it.
        remedy: what the operator does about it.
    """

    code: str
    meaning: str
    remedy: str


def _codes(*rows: tuple[str, str, str]) -> dict[str, FaultCode]:
    return {code: FaultCode(code, meaning, remedy) for code, meaning, remedy in rows}


CODES: dict[str, FaultCode] = _codes(
    # --- files and YAML
    (
        "WR001",
        "A file cannot be read: missing, empty, a pipe, not UTF-8, binary, too large.",
        "Mend the file.",
    ),
    ("WR002", "A file is not YAML.", "Mend the syntax at the place shown."),
    ("WR003", "A key stands twice in one mapping.", "Keep one of the two."),
    (
        "WR004",
        (
            "YAML that rule files may not use: tags, merge keys, several documents, anchors that "
            "refer to themselves or unfold without bound, very deep nesting."
        ),
        "Write the value out; share with `defaults:` and `use:`.",
    ),
    ("WR005", "An id is defined twice.", "Rename one; both places are named."),
    # --- shapes
    ("WR010", "A value of the wrong kind (a list where a text is wanted, …).", "As the message."),
    ("WR011", "A key that is needed is missing.", "Add it."),
    ("WR012", "An unknown key.", "Correct its spelling or remove it."),
    ("WR013", "A value outside a closed list.", "Use one of those named."),
    ("WR014", "Something is empty that decides: a group, a list, a where.", "Fill or remove it."),
    ("WR015", "Keys or values that exclude each other, or do nothing here.", "Keep one."),
    ("WR016", "A number out of its range.", "Use one within the range."),
    ("WR017", "Not a duration of whole days.", "Write 30d, 4w or 1y."),
    ("WR018", "Not a date.", "Write 2024-07-22."),
    ("WR019", "Not an id, label name or address.", "As the message."),
    # --- names
    ("WR020", "An unknown field.", "Use one of those in docs/rules.md."),
    ("WR021", "An unknown place or group of places.", "Define it under `places:` or `sites:`."),
    ("WR022", "An unknown group of actors.", "Define it under `actors:`."),
    ("WR023", "An unknown line or area.", "Define it under `lines:` or `areas:`."),
    ("WR024", "An unknown country or group of countries.", "Use an ISO code or common name."),
    ("WR025", "An unknown rule.", "Use the id of a rule."),
    ("WR026", "An unknown kind of rule.", "Use one of those in docs/rules.md."),
    # --- sense
    ("WR030", "Bounds, steps or tests that can never hold.", "Turn them round."),
    ("WR031", "A regular expression that does not compile.", "Mend it at the place shown."),
    (
        "WR032",
        "A regular expression or glob that could take unbounded time.",
        "Use fewer repetitions, none within another.",
    ),
    ("WR033", "An expression that cannot be read or names nothing.", "Mend it."),
    ("WR034", "Definitions that refer to themselves.", "Break the circle."),
    ("WR035", "A GeoJSON file or geometry that cannot be used.", "Mend the file."),
    ("WR036", "Parameters that the rule's kind refuses.", "As the message."),
    ("WR037", "Countries that share no land border.", "Correct `of` or `with`."),
    # --- warnings
    ("WR050", "A pattern that matches no name ever seen (warning).", "Check its spelling."),
    ("WR051", "Rules that overlap completely (warning).", "Remove one, or tell them apart."),
    (
        "WR052",
        "A rule that looks back over more days than are stored (warning).",
        "Load more history.",
    ),
    (
        "WR053",
        "A max_age that an embargoed feed can never meet (warning).",
        "Raise max_age, or use an account without the embargo.",
    ),
    ("WR054", "A rule that matches no stored event (warning).", "Check its where."),
    (
        "WR055",
        "A rule that tells nearly everything: most events, or a bound that always holds (warning).",
        "Narrow its where, or raise its bound.",
    ),
    (
        "WR056",
        "A rule about a source that the settings do not name (warning).",
        "Check its spelling, or remove the rule.",
    ),
    # --- settings
    ("WR060", "A variable WARDEN_… that names no setting, or a wrong value in one.", "Mend it."),
    ("WR061", "A secret that is not set, or cannot be read.", "Put it where the message says."),
    # --- routes and templates
    ("WR070", "A route names a receiver that is not defined.", "Define it, or mend its name."),
    (
        "WR071",
        "A matcher or `group_by` on what no alert carries (a warning where it is near no name).",
        "Correct its spelling.",
    ),
    ("WR072", "A webhook's URL that cannot be called.", "As the message."),
    ("WR073", "A secret written out in a file.", "Write `{secret: NAME}` and keep it apart."),
    ("WR074", "Not a matcher.", 'Write `{label: value}` or `label=~"regex"`.'),
    ("WR075", "A receiver that reaches nobody.", "Give it email, webhook or file."),
    ("WR076", "The root route has conditions.", "Move them to a route below it."),
    (
        "WR077",
        "A severity, or a rule at some severity, that no person gets a mail about.",
        "Add a receiver with email, or `continue: true` to the route that hides it.",
    ),
    ("WR078", "A route that is never asked (warning).", "Move it up, or remove it."),
    ("WR079", "Something this version does not do yet.", "Take it out for now."),
    ("WR080", "Not a short duration.", "Write 30s, 5m or 2h."),
    ("WR081", "A template that fails, or a phrase that is missing.", "Mend the template."),
    ("WR083", "A route names a time interval that is not defined.", "Define it, or mend its name."),
    (
        "WR084",
        "Not a time of day, weekday, day, month or year, or a range that ends before it begins.",
        "As the message; a night is two ranges, one until 24:00 and one from 00:00.",
    ),
    ("WR085", "A time interval that never holds.", "Mend its days, months or years."),
    ("WR086", "A route that is always muted.", "Mend its time intervals."),
    (
        "WR087",
        "An inhibit rule whose source and target are the same.",
        "Say what makes the one superfluous beside the other.",
    ),
    (
        "WR088",
        "A digest that critical alerts wait for (warning).",
        "Take severity critical out of the route's matchers, unless it is meant.",
    ),
    (
        "WR089",
        "Critical alerts that wait while every route to a person is muted (warning).",
        "Add a route without mute times for what is critical.",
    ),
    (
        "WR090",
        "Rules without a translation that other rules have and a receiver reads (warning).",
        "Add it under `translations:`.",
    ),
    (
        "WR091",
        "Texts of a rule in a language of which there are no templates (warning).",
        "Correct the code, or add templates in that language.",
    ),
    (
        "WR092",
        "No routes: nobody hears of an alert (warning; an error where there were routes before).",
        "Write receivers and a route into `routes.yaml`, or put the file back.",
    ),
)
