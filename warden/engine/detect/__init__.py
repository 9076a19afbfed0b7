"""Statistics on counts: baselines, levels, drifts, projections. Pure; arrays in, arrays out.

Standing in the flow: kinds turn events into matrices of counts, series x weeks, and ask here what
is unusual in them. Everything comes back as frozen columns, one row a series, one column a week.
"""

from warden.engine.detect.budget import (
    UNCALIBRATED,
    Calibration,
    alpha_for_budget,
    alpha_for_recurrence,
    drift_run_length,
    recurrence_days,
    series_seen,
    smallest_p,
)
from warden.engine.detect.calibrate import (
    Power,
    Report,
    alerts,
    calibrate,
    calibrate_drift,
    in_control,
)
from warden.engine.detect.completeness import (
    completeness_by_age,
    reporting_change_is_likely,
    window_completeness,
)
from warden.engine.detect.drift import Drift, DriftSettings, drift
from warden.engine.detect.ears import ears
from warden.engine.detect.nb_glm import NbGlmSettings, nb_glm
from warden.engine.detect.pooled import default_baseline, pooled_gamma_poisson
from warden.engine.detect.projection import (
    Projection,
    may_project,
    probability_of_rise,
    project_count,
    project_deaths,
    seasonal_share,
)
from warden.engine.detect.ratio import acled_surge, acled_threat, ratio
from warden.engine.detect.results import Bounds, Predictive, Tails
from warden.engine.detect.spike import Spike, SpikeSettings, spike

__all__ = [
    "UNCALIBRATED",
    "Bounds",
    "Calibration",
    "Drift",
    "DriftSettings",
    "NbGlmSettings",
    "Power",
    "Predictive",
    "Projection",
    "Report",
    "Spike",
    "SpikeSettings",
    "Tails",
    "acled_surge",
    "acled_threat",
    "alerts",
    "alpha_for_budget",
    "alpha_for_recurrence",
    "calibrate",
    "calibrate_drift",
    "completeness_by_age",
    "default_baseline",
    "drift",
    "drift_run_length",
    "ears",
    "in_control",
    "may_project",
    "nb_glm",
    "pooled_gamma_poisson",
    "probability_of_rise",
    "project_count",
    "project_deaths",
    "ratio",
    "recurrence_days",
    "reporting_change_is_likely",
    "seasonal_share",
    "series_seen",
    "smallest_p",
    "spike",
    "window_completeness",
]
