"""`warden where` and `warden distance`: what points, places and borders mean to the rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import click

from warden.cli.common import Globals, example, global_options, json_option, print_json, tell

_NEGATIVE = re.compile(r"-\d*\.?\d")


class PointCommand(click.Command):
    """A command that takes coordinates: `-8.0` is a number here, not an option."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Shield negative numbers from the option parser; `float` ignores the blank."""
        return super().parse_args(ctx, [f" {a}" if _NEGATIVE.match(a) else a for a in args])


latitude = click.argument("lat", type=click.FloatRange(-90, 90), metavar="LAT")
longitude = click.argument("lon", type=click.FloatRange(-180, 180), metavar="LON")


@click.command(
    cls=PointCommand, epilog=example("warden where 12.75 -8.07\nwarden where 12.75 -8.07 --json")
)
@latitude
@longitude
@json_option
@global_options
@click.pass_obj
def where(obj: Globals, *, lat: float, lon: float, as_json: bool) -> None:
    """Tell what a point is near and inside of.

    The country it lies in and its nearest land border, the nearest place of the rules, and the
    areas of the rules that contain it. Distances are geodesics on WGS84.
    """
    from warden.app import App
    from warden.trying import Trying

    found = Trying(App(obj.settings())).places().where(lat, lon)
    _show(found, as_json=as_json)


@click.command(
    cls=PointCommand,
    epilog=example(
        "warden distance 12.75 -8.07 bamako\n"
        "warden distance 10.2 -7.4 MLI:CIV,GIN --json\n"
        "warden distance 10.2 -7.4 MLI:coastal"
    ),
)
@latitude
@longitude
@click.argument("to", metavar="PLACE|BORDER")
@json_option
@global_options
@click.pass_obj
def distance(obj: Globals, *, lat: float, lon: float, to: str, as_json: bool) -> None:
    """Measure from a point to a place, line or border.

    A border is COUNTRY:NEIGHBOURS, such as MLI:CIV,GIN or MLI:coastal (a group of the rules), or
    COUNTRY alone for all its land borders.
    """
    from warden.app import App
    from warden.trying import Trying

    found = Trying(App(obj.settings())).places().distance(lat, lon, to)
    _show(found, as_json=as_json)


def _show(found: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    width = max(map(len, found))
    for name, value in found.items():
        if value is not None and value != []:
            shown = ", ".join(value) if isinstance(value, list) else value
            tell(f"{name.ljust(width)}  {shown}")
