"""`email: [{to: [desk@example.org, night@example.org]}]` in a receiver."""

from __future__ import annotations

from warden.model.located import Node, shown
from warden.notify.channels.email.addresses import why_invalid
from warden.notify.reading import Reader
from warden.notify.routes import Target


def read_targets(node: Node, reader: Reader) -> tuple[Target, ...]:
    """One target an address; the body format is "mail"."""
    found = reader.mapping(node, "email", ("to",), required=("to",))
    if not found or "to" not in found:
        return ()
    targets: dict[str, Target] = {}
    for item in reader.one_or_more(found["to"], "to"):
        address = reader.text(item, "an address")
        if address is None:
            continue
        reason = why_invalid(address)
        if reason:
            reader.faults.error(item, "WR019", f"{shown(address)} is not a mail address: {reason}")
            continue
        if address.casefold() in targets:
            reader.faults.error(item, "WR005", f"{shown(address)} stands here twice")
            continue
        targets[address.casefold()] = Target("email", address, "mail", human=True)
    return tuple(targets.values())
