"""How long a mail's pictures take, and how large they are.

    python benchmarks/pictures.py [--rounds N]

Maps: the rule's ring with 200 earlier events, the band along a border, a place without either; each
with its country shapes found anew (a window not seen before) and kept (the next alert of the rule).
A chart of two years with its expected band. Times are milliseconds of this process's CPU; those of
a busy machine are longer, therefore also how often they hold a blank picture of the same size.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from warden.geodata.land import Land
from warden.pictures import Easel
from warden.pictures import map as maps
from warden.pictures.chart import ChartPlan, chart_svg
from warden.pictures.map import Band, MapPlan, Ring, Spot, draw_map
from warden.pictures.raster import MAIL_WIDTH_PX, png

BLANK = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {maps.WIDTH} {maps.HEIGHT}">'
    "<text></text></svg>"
)
EARLIER = tuple((12.6 + n % 17 / 20, -8.0 - n % 13 / 15, n / 80) for n in range(200))


def main() -> None:
    """Measure, and print a line for each picture."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    easel = Easel()
    with tempfile.TemporaryDirectory() as folder:
        shapes = Land(Path(folder)).shapes()
    if shapes is None:
        sys.exit("no shapes of countries here")

    def drawn(**options: object) -> Callable[[int], str]:
        def draw(turn: int) -> str:
            spot = Spot(12.74 + turn / 1000, -8.07, f"Kati {turn}", 5.0)
            plan = MapPlan(
                spots=(spot,),
                country=str,
                credit="Borders © OpenStreetMap contributors",
                legend=lambda count: f"{count} earlier events",
                **options,  # type: ignore[arg-type]
            )
            return draw_map(plan, shapes, easel).svg

        return draw

    days = tuple((19_000 + 7 * n, float(n % 9)) for n in range(104))

    def chart(turn: int) -> str:
        plan = ChartPlan(
            unit="week",
            points=days,
            title=f"Such events a week {turn}",
            day=str,
            number=lambda value: f"{value:g}",
            expected=tuple((day, 1.0, 4.0, 9.0) for day, _ in days),
        )
        return chart_svg(plan, easel)

    ring = drawn(ring=Ring(12.6392, -8.0029, 150.0, "Bamako"), earlier=EARLIER, distance="13 km")
    border = drawn(band=Band("MLI", ("GIN", "CIV", "SEN", "MRT"), 50.0), earlier=EARLIER)
    pictures: dict[str, Callable[[int], str]] = {
        "map, ring, new window": ring,
        "map, ring": ring,
        "map, border, new window": border,
        "map, no place, new window": drawn(),
        "chart": chart,
        "blank": lambda turn: BLANK.replace("<text>", f"<text>{turn}"),
    }
    start = time.process_time()
    png(ring(0), width_px=MAIL_WIDTH_PX)
    first = (time.process_time() - start) * 1000
    took: dict[str, list[float]] = {name: [] for name in pictures}
    size: dict[str, int] = {}
    for turn in range(rounds):
        for name, draw in pictures.items():
            if "new window" in name:
                maps._ground.cache_clear()  # noqa: SLF001  as a window not seen before
            start = time.process_time()
            content = png(draw(turn), width_px=MAIL_WIDTH_PX)
            took[name].append((time.process_time() - start) * 1000)
            size[name] = len(content)
    blank = min(took["blank"])
    print(f"{'':28}{'median':>8}{'least':>8}{'most':>8}{'blanks':>8}{'bytes':>8}")
    print(f"{'first of a process':28}{first:8.0f}")
    for name, times in took.items():
        middle, least, most = statistics.median(times), min(times), max(times)
        print(f"{name:28}{middle:8.0f}{least:8.0f}{most:8.0f}{least / blank:8.1f}{size[name]:8,}")


if __name__ == "__main__":
    main()
