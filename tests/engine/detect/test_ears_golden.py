"""EARS gives R's bounds and alarms on every configuration and series."""

import numpy as np
import pytest
from golden_series import GOLDEN, column, counts, named, results

from warden.engine.detect.ears import ears

pytestmark = pytest.mark.skipif(not GOLDEN.exists(), reason="reference outputs are not here")
ALGS = (
    sorted({r["alg"] for r in results() if r["alg"].startswith("earsC")}) if GOLDEN.exists() else []
)


@pytest.mark.parametrize("alg", ALGS)
def test_ears_has_the_bounds_and_alarms_of_the_reference(alg):
    compared = 0
    for result in named(alg):
        p = result["params"]
        weeks = np.array(result["t"]) - 1
        ours = ears(
            counts(result["series"]),
            weeks,
            method=p["method"],
            baseline=p["baseline"],
            min_sigma=p["minSigma"],
            alpha=p["alpha"],
        )
        np.testing.assert_allclose(
            ours.high[0], column(result, "upper"), rtol=1e-9, atol=1e-9, err_msg=result["series"]
        )
        np.testing.assert_array_equal(
            ours.alarm[0], column(result, "alarm") == 1, err_msg=result["series"]
        )
        compared += 1
    assert compared == 10
