"""Detectors side by side on the 28 scenarios of Noufaily et al. 2013, and drift on sustained rises.

    make bench-detection                      # 20 replicates a scenario
    make bench-detection REPLICATES=100       # the figures of docs/detection.md

Every detector sees identical counts: 624 weeks a series, four past outbreaks in weeks 313 to 575,
one outbreak of 1 to 10 standard deviations in the tested weeks 576 to 624. False positives are
alarms in tested weeks without outbreak cases; an outbreak is detected if any of its weeks alarms.

Levels are checked without counting alarms: a test's bound at level alpha has, under the law that
drew the series, a known probability of being passed by chance. Its mean over tests is the realised
level, exact even at 4e-5, where counting would need millions of series.

Leaves with 1 when a floor is missed (see `FLOORS` and `_judge_*`). What few replicates cannot tell
is not held against a detector: a floor is missed when the figure lies beyond it by more than two
standard errors.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # one core a process, so that rates mean a core

import numpy as np
from numpy.typing import NDArray

from warden.engine.detect.budget import alpha_for_budget
from warden.engine.detect.calibrate import calibrate, calibrate_drift
from warden.engine.detect.drift import DriftSettings, drift
from warden.engine.detect.ears import Method, ears
from warden.engine.detect.farrington import FarringtonSettings, farrington
from warden.engine.detect.nb_glm import NbGlmSettings, nb_glm
from warden.engine.detect.ratio import acled_surge, acled_threat, ratio
from warden.engine.detect.results import Bounds
from warden.engine.detect.simulate import (
    SCENARIOS,
    TESTED_WEEKS,
    Simulation,
    negative_binomial,
    simulate,
)
from warden.engine.detect.spike import SpikeSettings
from warden.engine.detect.tails import Floats, at_least, mid_p, smallest_below

WEEKS = np.arange(*TESTED_WEEKS)
MATCHED = (0.005, 0.01)
LEVELS = (0.01, 0.005, 4e-5)
CLUMP_LEVELS = (0.01, 1e-3, 4e-5)
BATCH = 20  # replicates held in memory at once
OURS = NbGlmSettings(period=52.0)  # the scenarios' year has 52 weeks
PEER = FarringtonSettings(min_cases=0)  # without its blanking of sparse weeks
FLOORS = {0.005: 42.0, 0.01: 51.0}  # % of outbreaks found at a matched rate of false positives
LEVEL_BAND = 0.2  # of the nominal level, overall
WORST_SCENARIO = 2.0  # times the nominal level
SERIES_WEEKS_A_SECOND = 10_000
DRIFT_FLOORS = {0.25: 14, 1.0: 6, 4.0: 3}  # events a week -> median weeks until x 3 is found
DRIFT_FALSE = 1.35  # alarms in the five years that should hold one
LEAST_DRIFT_SERIES = 2_000
SURE = 2.0  # standard errors


class Verdict:
    """Which floors were missed; whether that of speed counts."""

    def __init__(self, *, judges_speed: bool) -> None:
        self.missed: list[str] = []
        self.judges_speed = judges_speed

    def expect(self, condition: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as a sentence
        """Note what was missed."""
        if not condition:
            self.missed.append(otherwise)

    def tell(self) -> int:
        """Print it; the exit status."""
        print("\n" + ("every floor is held" if not self.missed else "missed:"))
        for line in self.missed:
            print(f"  {line}")
        return 1 if self.missed else 0


@dataclass(frozen=True, slots=True)
class Scored:
    """One detector on one batch: scores rise with surprise; alarms at the detector's own level."""

    score: Floats
    alarm: NDArray[np.bool_]
    seconds: float


@dataclass(frozen=True, slots=True)
class Batch:
    """What one batch of replicates contributes."""

    scored: dict[str, Scored]
    outbreak: NDArray[np.bool_]
    levels: dict[str, Floats]  # detector -> levels x scenarios x replicates
    replicates: int


def main() -> int:
    options = _options()
    parts = [min(BATCH, options.replicates - i) for i in range(0, options.replicates, BATCH)]
    seeds = np.random.SeedSequence(options.seed).spawn(2 * len(parts))
    began = time.perf_counter()
    jobs = [(s, n, True) for s, n in zip(seeds, parts, strict=False)]
    jobs += [(s, n, False) for s, n in zip(seeds[len(parts) :], parts, strict=False)]
    with ProcessPoolExecutor(min(options.processes, 2)) as pool:
        batches = list(pool.map(_batch, *zip(*jobs, strict=True)))
    dirty, clean = batches[: len(parts)], batches[len(parts) :]
    print(
        f"28 scenarios x {options.replicates} replicates x {len(WEEKS)} weeks, "
        f"seed {options.seed}, {time.perf_counter() - began:.0f} s\n"
    )
    verdict = Verdict(judges_speed=options.speed == "judged")
    _print_detection(dirty, verdict)
    _print_paired(dirty, verdict)
    _print_levels("with past outbreaks in the baseline", dirty, verdict)
    _print_levels("without outbreaks (in control)", clean, verdict)
    series = max(options.replicates * 20, LEAST_DRIFT_SERIES)
    _print_drift(np.random.default_rng(options.seed), series, verdict)
    _print_clumps(np.random.default_rng(options.seed))
    _print_calibration(np.random.default_rng(options.seed))
    return verdict.tell()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--replicates", type=int, default=20, help="a scenario (20)")
    parser.add_argument("--processes", type=int, default=1, help="1 or 2")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--speed", choices=("judged", "told"), default="judged")
    return parser.parse_args()


# --- one batch --------------------------------------------------------------------------------


def _batch(seed: np.random.SeedSequence, replicates: int, outbreaks: bool) -> Batch:  # noqa: FBT001 - mapped over
    sizes = tuple(range(1, 11)) if outbreaks else ()
    sim = simulate(
        np.random.default_rng(seed), replicates, past_outbreaks=outbreaks, current_sizes=sizes
    )
    ours, ours_s = _timed(lambda: nb_glm(sim.counts, WEEKS, OURS))
    peer, peer_s = _timed(lambda: farrington(sim.counts, WEEKS, PEER))
    observed = sim.counts[:, WEEKS]
    truth = mid_p(observed, sim.mean[:, WEEKS], sim.phi)
    scored = {
        "oracle (knows the law)": Scored(-truth, truth <= MATCHED[1], 0.0),
        "nb_glm": Scored(-ours.p, ours.p <= MATCHED[1], ours_s),
        "farrington": Scored(-peer.p, peer.p <= MATCHED[1], peer_s),
    }
    if outbreaks:
        scored |= _bounds(sim.counts)
    levels = {
        "nb_glm": _realised(sim, ours.law.high),
        "farrington": _realised(
            sim,
            lambda a: smallest_below(
                lambda q: at_least(q + 1, peer.expected, peer.phi), a, peer.expected
            ),
        ),
    }
    return Batch(scored, sim.outbreak[:, WEEKS] > 0, levels, replicates)


def _bounds(counts: Floats) -> dict[str, Scored]:
    """The methods that know no probability; their scores are distances or ratios."""
    found = {}
    for name in ("C1", "C2", "C3"):
        method: Method = name
        result, seconds = _timed(
            lambda method=method: ears(counts, WEEKS, method=method, min_sigma=0.5)
        )
        spread = result.high - (counts[:, WEEKS] if name == "C3" else result.expected)
        score = -spread if name == "C3" else (counts[:, WEEKS] - result.expected) / spread
        found[f"EARS {name}"] = Scored(np.nan_to_num(score), result.alarm, seconds)
    for name, method_ in (
        ("ACLED surge tracker", lambda: acled_surge(counts, WEEKS)),
        ("ACLED threat tracker", lambda: acled_threat(counts, WEEKS)),
        (
            "ElastAlert spike (x 3)",
            lambda: ratio(counts, WEEKS, times=3, windows=1, on_zero="fire"),
        ),
    ):
        verdict, seconds = _timed(method_)
        found[name] = Scored(_multiple(counts, verdict), verdict.alarm, seconds)
    return found


def _multiple(counts: Floats, verdict: Bounds) -> Floats:
    """How many times the expected a week is, among those the method lets alarm at all."""
    times = counts[:, WEEKS] / np.maximum(verdict.expected, 1e-9)
    return np.where(verdict.alarm, times, 0.0)


def _realised(sim: Simulation, high) -> Floats:  # noqa: ANN001 - a function of the level
    """The chance that an ordinary week passes the bound of each level, by scenario."""
    mean = sim.mean[:, WEEKS]
    rows = []
    for level in LEVELS:
        chance = at_least(high(level) + 1, mean, sim.phi).mean(axis=1)
        rows.append([chance[sim.scenario == s] for s in range(len(SCENARIOS))])
    return np.array(rows)


def _timed(work):  # noqa: ANN001, ANN202 - any function
    began = time.process_time()
    return work(), time.process_time() - began


# --- tables -----------------------------------------------------------------------------------


def _print_detection(batches: list[Batch], verdict: Verdict) -> None:
    outbreak = np.vstack([b.outbreak for b in batches])
    print(
        "detector                  own level: false %  found %   matched 0.5 %: found %   "
        "1 %: found %   series-weeks/s"
    )
    for name in batches[0].scored:
        score = np.vstack([b.scored[name].score for b in batches])
        alarm = np.vstack([b.scored[name].alarm for b in batches])
        seconds = sum(b.scored[name].seconds for b in batches)
        matched = [_matched(score, outbreak, rate) for rate in MATCHED]
        speed = f"{score.size / seconds:14,.0f}" if seconds else " " * 14
        print(
            f"{name:26s}{100 * alarm[~outbreak].mean():17.2f}{_found(alarm, outbreak):9.1f}"
            f"{_percent(matched[0]):>24s}{_percent(matched[1]):>15s}   {speed}"
        )
        if name == "nb_glm":
            _judge_detection(matched, score.size / seconds, len(score), verdict)
    print()


def _judge_detection(
    matched: list[float | None], speed: float, series: int, verdict: Verdict
) -> None:
    for rate, found in zip(MATCHED, matched, strict=True):
        floor = FLOORS[rate]
        error = SURE * np.sqrt(floor * (100 - floor) / series)
        verdict.expect(
            found is not None and found >= floor - error,
            f"nb_glm finds {_percent(found)} % at a matched {100 * rate:g} %, not {floor:g} %",
        )
    verdict.expect(
        speed >= SERIES_WEEKS_A_SECOND or not verdict.judges_speed,
        f"nb_glm: {speed:,.0f} series-weeks a second, not {SERIES_WEEKS_A_SECOND:,}",
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _matched(score: Floats, outbreak: NDArray[np.bool_], rate: float) -> float | None:
    """Detected outbreaks, in %, where `rate` of the ordinary weeks alarm; None out of reach."""
    ordinary = np.sort(score[~outbreak])[::-1]
    limit = ordinary[int(rate * len(ordinary))]
    if (score > limit)[~outbreak].mean() < 0.5 * rate:
        return None
    return _found(score > limit, outbreak)


def _found(alarm: NDArray[np.bool_], outbreak: NDArray[np.bool_]) -> float:
    """Detected outbreaks, in %."""
    with_cases = outbreak.any(axis=1)
    return float(100 * (alarm & outbreak).any(axis=1)[with_cases].mean())


def _print_paired(batches: list[Batch], verdict: Verdict) -> None:
    """The difference to Farrington, replicate by replicate, at the overall matched levels."""
    for rate in MATCHED:
        gains = []
        limits = {}
        for name in ("nb_glm", "farrington"):
            score = np.vstack([b.scored[name].score for b in batches])
            outbreak = np.vstack([b.outbreak for b in batches])
            ordinary = np.sort(score[~outbreak])[::-1]
            limits[name] = ordinary[int(rate * len(ordinary))]
        for batch in batches:
            for replicate in range(batch.replicates):
                rows = np.arange(len(SCENARIOS)) * batch.replicates + replicate
                outbreak = batch.outbreak[rows]
                ours, theirs = (
                    _found(batch.scored[name].score[rows] > limits[name], outbreak)
                    for name in ("nb_glm", "farrington")
                )
                gains.append(ours - theirs)
        error = np.std(gains, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else np.nan
        print(
            f"nb_glm - farrington at a matched {100 * rate:g} %: {np.mean(gains):+.1f} points "
            f"(standard error {error:.1f}, {len(gains)} paired replicates)"
        )
        verdict.expect(
            len(gains) == 1 or np.mean(gains) + SURE * error >= 0,
            f"nb_glm finds fewer than farrington at a matched {100 * rate:g} %",
        )
    print()


def _print_levels(title: str, batches: list[Batch], verdict: Verdict) -> None:
    print(f"realised over nominal level, {title}")
    for name in batches[0].levels:
        every = np.concatenate([b.levels[name] for b in batches], axis=2)
        line = f"  {name:12s}"
        for level, chances in zip(LEVELS, every / np.reshape(LEVELS, (-1, 1, 1)), strict=True):
            scenarios = chances.mean(axis=1)
            line += (
                f"   {level:g}: overall {scenarios.mean():5.2f}, worst scenario "
                f"{scenarios.max():6.2f}"
            )
            if name == "nb_glm":
                _judge_level(title, level, chances, verdict)
        print(line)
    print()


def _judge_level(title: str, level: float, chances: Floats, verdict: Verdict) -> None:
    """Overall within the band (at the tail: never above it), worst scenario at most twice."""
    scenarios = chances.mean(axis=1)
    errors = chances.std(axis=1, ddof=1) / np.sqrt(chances.shape[1])
    overall, error = scenarios.mean(), np.sqrt((errors**2).mean() / len(errors))
    lowest = 0.0 if level < min(MATCHED) else 1 - LEVEL_BAND
    verdict.expect(
        lowest - SURE * error <= overall <= 1 + LEVEL_BAND + SURE * error,
        f"nb_glm, {title}: a nominal {level:g} is {overall:.2f} times that overall",
    )
    worst = int((scenarios - SURE * errors).argmax())
    verdict.expect(
        scenarios[worst] - SURE * errors[worst] <= WORST_SCENARIO,
        f"nb_glm, {title}: a nominal {level:g} is {scenarios[worst]:.2f} times that in scenario "
        f"{worst + 1} (standard error {errors[worst]:.2f})",
    )


def _print_clumps(rng: np.random.Generator) -> None:
    """Realised over nominal level of rare series in clumps, with a rule's guards: its limit."""
    print("realised over nominal level of sparse series, guards 3 and 1.5, 60 series of 400 weeks")
    print("  dispersion  events/week   " + "".join(f"{level:>10g}" for level in CLUMP_LEVELS))
    weeks = np.arange(290, 400, 10)
    for phi in (2.0, 5.0):
        for mean in (0.05, 0.25, 1.0, 4.0):
            law = nb_glm(negative_binomial(rng, np.full((60, 400), mean), phi), weeks).law
            line = f"  {phi:10g}{mean:13g}   "
            for level in CLUMP_LEVELS:
                bound = np.maximum(np.maximum(law.high(level), 2), np.ceil(1.5 * law.mean) - 1)
                true_mean = np.full_like(bound, mean)
                chance = at_least(bound + 1, true_mean, np.full_like(bound, phi)).mean()
                line += f"{chance / level:10.2f}"
            print(line)
    print()


def _print_drift(rng: np.random.Generator, series: int, verdict: Verdict) -> None:
    """Runs of ten years in control, and sustained rises, law estimated from the past."""
    print("drift (x 2 looked for, one false alarm in five years, mean and dispersion estimated)")
    print(
        "  events/week  dispersion   false alarms in 5 years   median weeks to find x 2   x 3   x 5"
    )
    settings = DriftSettings()
    for mean in (0.25, 1.0, 4.0):
        for phi in (1.2, 2.0):
            quiet = drift(negative_binomial(rng, np.full((series, 780), mean), phi), settings)
            tested = quiet.alarm[:, 260:]
            starts = tested[:, 1:] & ~tested[:, :-1]
            false = starts.sum() / series / (tested.shape[1] / 52.18) * 5
            found = [_delay(rng, mean, phi, times, series) for times in (2, 3, 5)]
            print(
                f"  {mean:11g}{phi:12g}{false:26.2f}{found[0]:27.0f}{found[1]:6.0f}{found[2]:6.0f}"
            )
            verdict.expect(
                found[1] <= DRIFT_FLOORS[mean],
                f"drift finds x 3 at {mean:g} a week (dispersion {phi:g}) in {found[1]:.0f} weeks, "
                f"not {DRIFT_FLOORS[mean]}",
            )
            verdict.expect(
                false <= DRIFT_FALSE,
                f"drift at {mean:g} a week (dispersion {phi:g}): {false:.2f} false alarms in five "
                "years, not one",
            )


def _print_calibration(rng: np.random.Generator) -> None:
    """A rule of six false alerts a year over 300 series like actors: most of them rare."""
    rate = np.exp(rng.normal(-1.5, 1.3, 300))
    phi = 1 + rng.gamma(2.0, 0.4, 300)
    history = negative_binomial(rng, np.repeat(rate[:, None], 320, axis=1), phi[:, None])
    settings = SpikeSettings()
    report = calibrate({"events": history}, settings, false_alerts_per_year=6, rng=rng, years=12)
    level = alpha_for_budget(6, np.array([300.0]), report.calibration)[0]
    print("\na spike rule, budget 6 false alerts a year, 300 series, windows 1, 4 and 13 weeks")
    print(
        f"  false alerts a year: {report.realised:.1f} at the nominal level, "
        f"{report.calibrated:.1f} calibrated (level of the corrected p {level:.1e})"
    )
    drifting = calibrate_drift(history, DriftSettings(), false_alerts_per_year=6, rng=rng, years=12)
    print(f"a drift rule with the same budget: {drifting.realised:.1f} false alerts a year")
    print("  rise  events/week   spike: found in 26 weeks, median weeks   drift: the same")
    for ours, theirs in zip(report.power, drifting.power, strict=True):
        low, high = ours.rates
        print(
            f"  x {ours.rise:g}  {low:5g} to {high:<5g}{100 * ours.found:19.0f} % "
            f"{_weeks(ours.delay_weeks):>13s}{100 * theirs.found:20.0f} % "
            f"{_weeks(theirs.delay_weeks):>6s}"
        )


def _weeks(value: float | None) -> str:
    return "-" if value is None else f"{value:g}"


def _delay(rng: np.random.Generator, mean: float, phi: float, times: float, series: int) -> float:
    """Median weeks until a rise after 300 ordinary weeks is found."""
    rate = np.full((series, 500), mean)
    rate[:, 300:] *= times
    alarm = drift(negative_binomial(rng, rate, phi), DriftSettings()).alarm
    after, ready = alarm[:, 300:], ~alarm[:, 299]
    weeks = np.where(after.any(axis=1), after.argmax(axis=1) + 1.0, np.inf)
    return float(np.median(weeks[ready]))


if __name__ == "__main__":
    sys.exit(main())
