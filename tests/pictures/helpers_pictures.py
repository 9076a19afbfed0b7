"""What pictures cost beside an empty one of their size."""

from __future__ import annotations

import time
from collections.abc import Callable

from warden.pictures import mail_png


def empty_picture(height: float) -> Callable[[int], str]:
    """A picture in which nothing is drawn, of so many units and 400 across; another every turn."""
    return lambda turn: (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 {height}"><!-- {turn} --></svg>'
    )


def least_times(*draw: Callable[[int], str], turns: int = 5) -> list[float]:
    """Seconds of CPU that each takes from its plan to the mail's PNG, the least of some turns."""
    took: list[list[float]] = [[] for _ in draw]
    for turn in range(turns + 1):
        for one, times in zip(draw, took, strict=True):
            start = time.process_time()
            mail_png(one(turn))
            times.append(time.process_time() - start)
    return [min(times[1:]) for times in took]  # in the first something is imported
