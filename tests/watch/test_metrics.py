"""Metrics: what they say of a real database, and that Prometheus' own tool accepts them."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

sys.path.insert(0, str(Path(__file__).parents[1] / "notify"))

from helpers_notify import NOW, clock_at, decide, good_routing, notice

from tests.support.build import record
from tests.support.feed import ListedFeed
from warden.deliver import flush
from warden.ingest import ingest
from warden.model.health import Condition
from warden.notify.render import Renderer
from warden.store import health, open_store
from warden.store.figures import read_figures
from warden.watch import Meter, Picture

ROOT = Path(__file__).parents[2]
ROUTING = good_routing("""
receivers:
- {name: desk, email: [{to: [a@example.org]}]}
route: {receiver: desk}
""")
PROMTOOL = shutil.which("promtool")


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "warden.db") as opened:
        feed = ListedFeed()
        feed.serve(record("MLI1", "2024-01-05"))
        ingest(opened, feed, clock_at(NOW))
        feed.state = "auth_failed"
        ingest(opened, feed, clock_at(NOW + timedelta(hours=1)))
        decide(opened, ROUTING, [notice()], NOW)
        flush(opened, ROUTING, Renderer(), clock_at(NOW))
        ill = Condition("source", "acled", "auth_failed", NOW)
        with opened.transaction() as tx:
            health.save(tx, (), (ill,))
        yield opened


def metered(store) -> Meter:
    figures = read_figures(store.connection, NOW + timedelta(minutes=10))
    meter = Meter(
        lambda: Picture(
            "1.2.3",
            figures,
            jobs=[{"job": "evaluate", "runs": 3, "failures": 1, "running": False}],
            sent={"sent": 2, "dead": 1},
            rules=7,
            reloaded_at=NOW,
            refused=True,
            failing_rules=["bamako-spike"],
            evaluated_at=NOW,
        )
    )
    meter.polled("acled", "ok", {"served": 3, "new": 1, "unchanged": 2})
    meter.evaluated(
        kind="full", seconds=0.2, reasons=["FIRST", "UNCHANGED", "FIRST"], actions=["alert"],
        failed=["bamako-spike"],
    )  # fmt: skip
    return meter


def values(page: bytes) -> dict[str, float]:
    """`name{a="b",…}` → value."""
    found = {}
    for family in text_string_to_metric_families(page.decode()):
        for sample in family.samples:
            labels = ",".join(f'{k}="{v}"' for k, v in sorted(sample.labels.items()))
            found[f"{sample.name}{{{labels}}}" if labels else sample.name] = sample.value
    return found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ('warden_polls_total{source="acled",state="ok"}', 1),
        ('warden_rows_total{outcome="unchanged",source="acled"}', 2),
        ('warden_evaluations_total{kind="full"}', 1),
        ("warden_evaluation_duration_seconds_count", 1),
        ('warden_decisions_total{reason="FIRST"}', 2),
        ('warden_notices_total{action="alert"}', 1),
        ('warden_rule_errors_total{rule="bamako-spike"}', 1),
        ('warden_rules_failing{rule="bamako-spike"}', 1),
        ('warden_job_failures_total{job="evaluate"}', 1),
        ('warden_delivery_attempts_total{outcome="dead"}', 1),
        ("warden_rules", 7),
        ("warden_rules_last_reload_successful", 0),
        ("warden_rules_last_reload_success_timestamp_seconds", NOW.timestamp()),
        ('warden_source_ok{source="acled"}', 0),
        ('warden_source_state{source="acled",state="auth_failed"}', 1),
        ('warden_source_consecutive_failures{source="acled"}', 1),
        ('warden_source_last_ok_timestamp_seconds{source="acled"}', NOW.timestamp()),
        ('warden_conditions{state="auth_failed",subject="source"}', 1),
        ('warden_deliveries_unfinished{channel="email",state="pending"}', 1),
        ("warden_delivery_queue_age_seconds", 600),
        ("warden_database_readable", 1),
        ('warden_dataset_newest_event_timestamp_seconds{dataset="acled"}', 1704412800),
    ],
)
def test_it_is_counted(store, name, value):
    assert values(metered(store).page())[name] == value


def test_the_process_is_measured_where_only_processes_are_shown(monkeypatch, tmp_path):
    """As under `ProcSubset=pid`, where /proc/stat is not there."""
    opened = open

    def hidden(path, *args, **kwargs):
        if str(path) == "/proc/stat":
            raise FileNotFoundError(path)
        return opened(path, *args, **kwargs)

    monkeypatch.setattr("builtins.open", hidden)
    found = values(Meter(lambda: Picture("1.2.3")).page())
    assert found["process_resident_memory_bytes"] > 10 << 20
    assert found["process_open_fds"] > 2
    assert 0 < time.time() - found["process_start_time_seconds"] < 86_400


def test_rows_served_are_not_counted_twice(store):
    assert not [name for name in values(metered(store).page()) if 'outcome="served"' in name]


def test_without_a_database_the_rest_is_told_all_the_same():
    found = values(Meter(lambda: Picture("1.2.3", rules=7)).page())
    assert found["warden_database_readable"] == 0
    assert found["warden_rules"] == 7
    assert not any(name.startswith("warden_source") for name in found)


def test_odd_names_of_sources_do_not_break_the_page(store):
    meter = metered(store)
    meter.polled('a"b\\c\nd', "ok", {})
    assert any('a"b' in name for name in values(meter.page()))


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_finds_nothing_to_say(store):
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "check", "metrics"], input=metered(store).page(), capture_output=True,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def example_rules() -> str:
    """The alert rules that docs/operating.md shows."""
    page = (ROOT / "docs" / "operating.md").read_text(encoding="utf-8")
    found = re.search(r"```yaml\n(groups:\n.*?)```", page, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_example_alert_rules_name_metrics_that_exist(store):
    known = {name.partition("{")[0] for name in values(metered(store).page())}
    named = set(re.findall(r"\b(?:warden|process)_[a-z_]+", example_rules()))
    assert named
    assert named <= known


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
def test_promtool_accepts_the_example_alert_rules(tmp_path):
    assert PROMTOOL is not None
    rules = tmp_path / "rules.yaml"
    rules.write_text(example_rules(), encoding="utf-8")
    done = subprocess.run([PROMTOOL, "check", "rules", rules], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# What is served for three hours, and which of the example rules speak of it at the end.
TROUBLES = {
    "nothing": ("", ""),
    "warden is gone": ('up{job="warden"} 0', "WardenGone"),
    "evaluations stopped": (
        'warden_last_evaluation_timestamp_seconds{job="warden"} 0', "WardenDoesNotEvaluate",
    ),
    "no evaluation since the start": (
        'process_start_time_seconds{job="warden"} 0', "WardenDoesNotEvaluate",
    ),
    "a source is ill": ('warden_source_ok{source="acled"} 0', "WardenSourceIll"),
    "a source is not polled": (
        'warden_source_last_poll_timestamp_seconds{source="acled"} -172800',
        "WardenSourceNotPolled",
    ),
    "old data": (
        'warden_source_complete_through_timestamp_seconds{source="acled"} -1900800',
        "WardenDataOld",
    ),
    "a queue that stands": ("warden_delivery_queue_age_seconds 7200", "WardenQueueStuck"),
    "a dead letter": ('warden_delivery_attempts_total{outcome="dead"} up', "WardenDeadLetters"),
    "a rule fails": ('warden_rules_failing{rule="bamako-spike"} 1', "WardenRuleFails"),
    "a refused reload": ("warden_rules_last_reload_successful 0", "WardenReloadRefused"),
    "a job fails": ('warden_job_failures_total{job="poll acled"} up', "WardenJobFails"),
}  # fmt: skip
MINUTES = 13 * 60  # longer than any rule waits


@pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed")
@pytest.mark.parametrize("trouble", TROUBLES)
def test_each_example_alert_speaks_of_its_trouble_and_no_other(trouble, tmp_path):
    assert PROMTOOL is not None
    served, alert = TROUBLES[trouble]
    (tmp_path / "rules.yaml").write_text(example_rules(), encoding="utf-8")
    (tmp_path / "test.yaml").write_text(rule_test(served, alert), encoding="utf-8")
    done = subprocess.run(
        [PROMTOOL, "test", "rules", tmp_path / "test.yaml"], capture_output=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def rule_test(served: str, alert: str) -> str:
    """A test of Prometheus' rules: of all example alerts only this one is firing."""
    names = re.findall(r"alert: (\w+)", example_rules())
    lines = ["rule_files: [rules.yaml]", "tests:", "- interval: 1m"]
    if served:
        series, _, value = served.rpartition(" ")
        steps = "0+1" if value == "up" else f"{value}+0"
        lines += ["  input_series:", f"  - {{series: '{series}', values: '{steps}x{MINUTES}'}}"]
    lines += ["  promql_expr_test:"]
    for name in names:
        query = f'count(ALERTS{{alertname="{name}",alertstate="firing"}})'
        found = ["{labels: '{}', value: 1}"] if name == alert else []
        lines += [
            f"  - {{expr: '{query}', eval_time: {MINUTES}m, exp_samples: [{', '.join(found)}]}}"
        ]
    return "\n".join(lines) + "\n"
