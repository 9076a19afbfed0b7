"""The Gamma-Poisson and Farrington bounds are R's on every configuration and series."""

import numpy as np
import pytest
from golden_series import GOLDEN, column, counts, named

from warden.engine.detect.farrington import FarringtonSettings, farrington
from warden.engine.detect.gamma_poisson import gamma_poisson

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="reference outputs are not here")

# Two of the reference's data sets carry dates: their first Monday, in days since 1970-01-01.
FIRST_DAY = {"campyDE": 11687, "salmNewport": 12422, "salmNewport:Bremen": 12422}


@pytest.mark.parametrize(
    "alg",
    [
        "bayes_b0_w6_a1_0.05",
        "bayes_b1_w6_a1_0.05",
        "bayes_b2_w4_a0_0.05",
        "bayes_b0_w26_a1_0.01",
        "bayes_b0_w52_a1_0.001",
    ],
)
def test_gamma_poisson_has_the_bounds_and_alarms_of_the_reference(alg):
    for result in named(alg):
        p = result["params"]
        ours = gamma_poisson(
            counts(result["series"]),
            np.array(result["t"]) - 1,
            recent=p["w"],
            years=p["b"],
            use_recent=p["actY"],
            alpha=p["alpha"],
        )
        np.testing.assert_array_equal(ours.high[0], column(result, "upper"), result["series"])
        np.testing.assert_array_equal(ours.alarm[0], column(result, "alarm") == 1)


@pytest.mark.parametrize("alg", ["ff_noufaily", "ff_noufaily_b5", "ff_noreweight"])
def test_farrington_has_the_bounds_and_alarms_of_the_reference(alg):
    for result in named(alg):
        series, weeks = counts(result["series"]), np.array(result["t"]) - 1
        days = FIRST_DAY.get(result["series"], 0) + 7 * np.arange(len(series))
        ours = farrington(
            series,
            weeks,
            _settings(result["params"]),
            days=days if result["series"] in FIRST_DAY else None,
        )
        np.testing.assert_array_equal(ours.high[0], column(result, "upper"), result["series"])
        np.testing.assert_array_equal(ours.alarm[0], column(result, "alarm") == 1)
        # R takes the dispersion from the weights of the last but one iteration: 1e-4 apart.
        np.testing.assert_allclose(ours.phi[0], column(result["extra"], "phi"), rtol=3e-4)
        np.testing.assert_allclose(ours.p[0], column(result, "pvalue"), rtol=1e-3, atol=1e-9)


def _settings(p):
    return FarringtonSettings(
        years=p["b"],
        half_window=p["w"],
        blocks=p["noPeriods"],
        left_out=p["pastWeeksNotIncluded"],
        trend=p["trend"],
        reweight=p.get("reweight", True),
        alpha=p["alpha"],
        min_cases=p["limit54"][0],
        min_cases_weeks=p["limit54"][1],
    )
