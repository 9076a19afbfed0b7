"""Charts are honest: from zero, in whole numbers, and what is not complete says so."""

from xml.etree import ElementTree as ET

import pytest
from helpers_pictures import empty_picture, least_times

from warden.pictures import Easel, mail_png
from warden.pictures.chart import HEIGHT, ChartPlan, chart_svg, told_point

SVG = "{http://www.w3.org/2000/svg}"
EASEL = Easel()
MONTHS = tuple((19_000 + round(30.44 * n), n % 3) for n in range(24))


def plan(points=MONTHS, **options):
    options = {
        "unit": "month", "title": "Such events a month", "day": str, "number": lambda v: f"{v:g}",
    } | options  # fmt: skip
    return ChartPlan(points=points, **options)


def drawn(*args, **options):
    return ET.fromstring(chart_svg(plan(*args, **options), EASEL))


def bars(svg, *fills):
    wanted = fills or ("#7a7f87", "#b3261e")
    return [r for r in svg.iter(f"{SVG}rect") if r.get("fill") in wanted]


def texts(svg):
    return [element.text for element in svg.iter(f"{SVG}text")]


def test_bars_are_as_high_as_their_numbers_from_zero():
    svg = drawn(((19_000, 1.0), (19_031, 2.0), (19_061, 4.0)))
    heights = [float(bar.get("height")) for bar in bars(svg)]
    assert heights[1] == pytest.approx(2 * heights[0], abs=0.2)
    assert heights[2] == pytest.approx(4 * heights[0], abs=0.2)
    assert len({float(bar.get("y")) + float(bar.get("height")) for bar in bars(svg)}) == 1


@pytest.mark.parametrize("most", [1, 2, 3, 7, 19, 240, 98_000])
def test_the_axis_counts_in_whole_events_and_reaches_beyond_the_highest(most):
    svg = drawn(((19_000, 0.0), (19_031, float(most)), (19_061, 1.0)))
    ticks = [float(t.text) for t in svg.iter(f"{SVG}text") if t.get("text-anchor") == "end"]
    assert ticks[0] == 0
    assert ticks[-1] >= most
    assert all(tick == int(tick) for tick in ticks)
    assert 2 <= len(ticks) <= 5


def test_what_is_not_complete_is_hatched_and_named():
    svg = drawn(complete_through=MONTHS[-1][0] + 5, incomplete_words="not yet complete")
    assert "not yet complete" in texts(svg)
    assert [r for r in svg.iter(f"{SVG}rect") if r.get("fill") == "url(#hatch)"]
    whole = drawn(complete_through=MONTHS[-1][0] + 40, incomplete_words="not yet complete")
    assert "not yet complete" not in texts(whole)


def test_the_alert_stands_out_and_its_value_is_said():
    last = MONTHS[-1][0]
    svg = drawn(alert=(last + 3, last + 3), alert_words="this alert")
    assert len(bars(svg, "#b3261e")) == 2  # the bar and its key
    assert "this alert" in texts(svg)
    assert "2" in texts(svg)


def test_a_rolling_sum_is_a_line_with_the_counted_days_shaded():
    weeks = tuple((19_000 + 7 * n, float(n % 5)) for n in range(105))
    svg = drawn(
        weeks, unit="week", rolling=True, alert=(19_668, 19_728), alert_words="days counted"
    )
    assert not bars(svg, "#7a7f87")
    assert [p for p in svg.iter(f"{SVG}path") if p.get("stroke") == "#3c4046"]
    (shade,) = [r for r in svg.iter(f"{SVG}rect") if r.get("fill-opacity") == "0.11"]
    assert float(shade.get("width")) > 20


def test_a_rolling_sum_says_the_value_that_holds_the_last_day_counted():
    weeks = tuple((19_000 + 7 * n, float(n)) for n in range(8))
    assert told_point(plan(weeks, rolling=True, alert=(18_990, 19_033))) == (19_035, 5.0)
    assert told_point(plan(weeks, rolling=True, alert=(18_990, 19_035))) == (19_035, 5.0)
    assert told_point(plan(weeks, rolling=True, alert=(18_990, 19_060))) == (19_049, 7.0)
    assert told_point(plan(weeks, alert=(19_028, 19_033))) == (19_028, 4.0)


def test_bound_and_band_lie_at_their_values():
    points = ((19_000, 1.0), (19_031, 2.0), (19_061, 4.0))
    svg = drawn(points, bound=4.0, bound_words="bound: at least 4", expected=((19_061, 1, 2, 4),))
    (line,) = [p for p in svg.iter(f"{SVG}path") if p.get("stroke") == "#8a4b00"]
    top = min(float(bar.get("y")) for bar in bars(svg))
    assert float(line.get("d").split(",")[1].split("H")[0]) == pytest.approx(top)
    assert "bound: at least 4" in texts(svg)
    (band,) = [
        p for p in svg.iter(f"{SVG}path") if p.get("fill") == "#35618e" and "z" in p.get("d")
    ]
    assert f"V{top:g}" in band.get("d")


def test_a_chart_is_small_and_takes_little_time():
    weeks = tuple((19_000 + 7 * n, float(n % 9)) for n in range(120))
    band = tuple((day, 1.0, 4.0, 9.0) for day, _ in weeks)

    def with_chart(turn):
        return chart_svg(plan(weeks, unit="week", expected=band, title=f"{turn}"), EASEL)

    took, empty = least_times(with_chart, empty_picture(HEIGHT))
    assert len(mail_png(with_chart(0))) < 60_000
    assert took < 6 * empty  # 150 ms at most where an empty one takes 25
    assert took < 0.3


def test_without_points_there_is_no_chart():
    with pytest.raises(ValueError, match="points"):
        chart_svg(plan(()), EASEL)
