"""The generated rules: what promtool and a plain count of events say is the same, thirty times."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass

import pytest
import yaml

from support.prometheus import NEEDS_PROMTOOL
from vagus.measures.catalogue import load_catalogue
from vagus.present.export.promtool import tests_yaml as promtool_tests
from vagus.present.export.rules import PAIRS, alert_pairs, rule_groups, rules_yaml, selector
from vagus.present.export.watched import Watched, slo_labels
from vagus.watch.monitor import decode_monitor
from vagus.watch.slo import decode_slo

CATALOGUE = load_catalogue()
MINUTES = {"5m": 5, "30m": 30, "1h": 60, "2h": 120, "6h": 360, "1d": 1440, "3d": 4320}
KEEP = {"page": 5, "ticket": 15}
GAP, RESET = "gap", "reset"
DAY = 1440


def objective(id="good", target=0.99, **more):
    return decode_slo(
        {"id": id, "name": "Good answers", "project": "p", "measure": "error_rate"}
        | {"target": target, "lambda": 3.0 if target > 0.7 else 1.2}
        | more
    )


def monitor(id="errors", **more):
    rule = {"type": "threshold", "op": ">", "value": 0.2, "hold_min": 10, "min_n": 30}
    return decode_monitor(
        {"id": id, "name": "Errors", "project": "p", "measure": "error_rate", "rule": rule} | more
    )


def watched(slos=(), monitors=()):
    return Watched("p", tuple(slos), tuple(monitors))


STRICT, LOOSE = objective(), objective("loose", target=0.9)


@dataclass(frozen=True)
class Story:
    """Stretches of (minutes, events a minute, bad ones a minute), and what fires when.

    `fires` maps a minute to the long windows of the alerts that are expected then. A stretch of
    GAP has no samples; RESET starts the counters again.
    """

    name: str
    stretches: tuple[tuple[object, ...], ...]
    fires: dict[int, str]
    slo: object = STRICT

    def minutes(self):
        """For each minute its kind, events and bad events; minute 0 is the first sample."""
        found = [("", 0.0, 0.0)]
        is_reset = False
        for stretch in self.stretches:
            if stretch[0] == RESET:
                is_reset = True
                continue
            if stretch[0] == GAP:
                found += [(GAP, 0.0, 0.0)] * stretch[1]
                continue
            length, events, bad = stretch
            for place in range(length):
                found.append((RESET if is_reset and place == 0 else "", events, bad))
                is_reset = False
        return found

    def values(self, column):
        """The counter in promtool's notation."""
        parts, total = [], 0.0
        for kind, *amounts in self.minutes():
            if kind == GAP:
                parts.append("_")
                continue
            total = amounts[column] if kind == RESET else total + amounts[column]
            parts.append(f"{total:g}")
        return " ".join(parts)

    def ratio(self, at, window):
        """The bad share of the last minutes, from a plain count; None without two samples."""
        minutes = self.minutes()
        start = max(0, at - window)
        seen = [m for m in range(start, at + 1) if m < len(minutes) and minutes[m][0] != GAP]
        if len(seen) < 2:
            return None
        grown = [minutes[m] for m in seen[1:]]
        events = sum(m[1] for m in grown)
        return sum(m[2] for m in grown) / events if events else None

    def firing(self, at):
        """The long windows whose alert fires at a minute, by the rules' own words."""
        return {
            long
            for short, long, severity, hold, factor in alert_pairs(self.slo)
            if self._fires(short, long, KEEP[severity], int(hold[:-1]), factor, at)
        }

    def _fires(self, short, long, keep, hold, factor, at):
        since, fired_at = None, None
        for minute in range(at + 1):
            shares = [self.ratio(minute, MINUTES[window]) for window in (short, long)]
            limit = factor * (1 - self.slo.target)
            if all(share is not None and share > limit + 1e-12 for share in shares):
                since = minute if since is None else since
                if minute - since >= hold:
                    fired_at = minute
            else:
                since = None
                if fired_at is not None and minute - fired_at > keep:
                    fired_at = None
                elif fired_at is not None:
                    # It is still kept; coming back within this time goes on without a hold.
                    since = None
        return fired_at is not None


STORIES = (
    Story("healthy", ((120, 100, 0),), {120: ""}),
    Story("outage from the start", ((90, 100, 100),), {1: "", 90: "1h 6h 1d 3d"}),
    Story("outage after a good day", ((DAY, 100, 0), (15, 100, 100)), {DAY: "", DAY + 15: "1h"}),
    Story(
        "long outage", ((DAY, 100, 0), (120, 100, 100)), {DAY + 120: "1h 6h 1d 3d"}
    ),
    Story("spike of two minutes", ((DAY, 100, 0), (2, 100, 100), (60, 100, 0)), {DAY + 30: ""}),
    Story("spike of ten minutes", ((DAY, 100, 0), (10, 100, 100)), {DAY + 10: ""}),
    Story(
        "recovery ends the page",
        ((DAY, 100, 0), (20, 100, 100), (30, 100, 0)),
        {DAY + 20: "1h", DAY + 23: "1h", DAY + 40: ""},
    ),
    Story(
        "slow burn of four times the budget",
        ((DAY, 100, 0), (DAY, 100, 4)),
        {DAY + 30: "", 2 * DAY: "1d 3d"},
    ),
    Story("burn of seven times the budget", ((DAY, 100, 0), (500, 100, 7)), {DAY + 500: "6h 3d"}),
    Story("exactly on budget", ((600, 100, 1),), {600: ""}),
    Story("just above budget", ((600, 1000, 11),), {600: "3d"}),
    Story("just below fast burn", ((200, 1000, 143),), {200: "6h 1d 3d"}),
    Story("just above fast burn", ((200, 1000, 145),), {200: "1h 6h 1d 3d"}),
    Story("gap in a healthy day", ((300, 100, 0), (GAP, 60), (60, 100, 0)), {330: "", 420: ""}),
    Story(
        "gap in an outage",
        ((DAY, 100, 0), (30, 100, 100), (GAP, 30), (20, 100, 100)),
        {DAY + 30: "1h 6h", DAY + 50: "6h 3d", DAY + 80: "1h 6h 3d"},
    ),
    Story(
        "telemetry stops",
        ((DAY, 100, 0), (30, 100, 100), (GAP, 40)),
        {DAY + 60: "6h 3d", DAY + 70: "3d"},
    ),
    Story("counter reset while healthy", ((200, 100, 0), (RESET,), (60, 100, 0)), {260: ""}),
    Story(
        "counter reset in an outage",
        ((DAY, 100, 0), (20, 100, 100), (RESET,), (20, 100, 100)),
        {DAY + 40: "1h 6h"},
    ),
    Story("no data at all", ((GAP, 120),), {120: ""}),
    Story("no traffic at night", ((300, 100, 0), (300, 0, 0), (30, 100, 0)), {500: "", 620: ""}),
    Story("traffic grows tenfold", ((300, 100, 0), (300, 1000, 1)), {600: ""}),
    Story("few events, one bad", ((DAY, 0.1, 0), (30, 0.1, 0.02)), {DAY + 30: ""}),
    Story(
        "flapping every ten minutes",
        ((DAY, 100, 0), *(((10, 100, 60), (10, 100, 0)) * 6)[:12]),
        {DAY + 120: "6h 3d"},
    ),
    Story(
        "an objective that tolerates much pages only where it can",
        ((DAY, 100, 0), (400, 100, 100)),
        {DAY + 20: "", DAY + 400: "6h 3d"},
        LOOSE,
    ),
)  # fmt: skip


def run_promtool(tmp_path, rules, tests):
    """What promtool says about some tests of some rules."""
    (tmp_path / "rules.yaml").write_text(rules)
    (tmp_path / "tests.yaml").write_text(tests)
    return subprocess.run(
        ["promtool", "test", "rules", str(tmp_path / "tests.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )


def check_rules(tmp_path, rules):
    """What `promtool check rules` says."""
    (tmp_path / "rules.yaml").write_text(rules)
    command = ["promtool", "check", "rules", str(tmp_path / "rules.yaml")]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def expected(groups, slo, long):
    """An alert as promtool compares it."""
    rule = next(
        rule
        for group in groups
        for rule in group.rules
        if rule.get("alert") == "VagusSloBurn"
        and (rule["labels"]["sloth_slo"], rule["labels"]["window"]) == (slo.id, long)
    )
    return {"exp_labels": rule["labels"], "exp_annotations": rule["annotations"]}


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name)
def test_a_plain_count_of_events_says_what_the_story_says(story):
    assert {at: story.firing(at) for at in story.fires} == {
        at: set(windows.split()) for at, windows in story.fires.items()
    }


@NEEDS_PROMTOOL
def test_promtool_fires_in_every_story_what_a_plain_count_does(tmp_path):
    groups = rule_groups(watched([STRICT, LOOSE]), CATALOGUE)
    for group in groups:
        # Every sample is a whole minute; rules between them would only repeat.
        object.__setattr__(group, "interval", "1m")
    tests = [
        {
            "name": story.name,
            "interval": "1m",
            "input_series": [
                {"series": f"{name}{selector(slo_labels(story.slo))}", "values": story.values(at)}
                for at, name in enumerate(("vagus_slo_events_total", "vagus_slo_bad_events_total"))
            ],
            "alert_rule_test": [
                {
                    "eval_time": f"{at}m",
                    "alertname": "VagusSloBurn",
                    "exp_alerts": [expected(groups, story.slo, w) for w in windows.split()],
                }
                for at, windows in story.fires.items()
            ],
        }
        for story in STORIES
    ]
    body = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}

    done = run_promtool(tmp_path, rules_yaml(groups), yaml.safe_dump(body, width=100_000))

    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]


def told(at, *firing, alert="VagusMonitor"):
    """An expectation over monitors' alerts."""
    return {"eval_time": f"{at}m", "alertname": alert, "exp_alerts": list(firing)}


MONITOR_STORIES = (
    ("high for long enough", "0+100x40", "0+30x40", {9: False, 20: True}),
    ("high for too short", "0+100x60", "0+0x20 0+30x5 150+0x33", {26: False, 40: False}),
    ("below the limit", "0+100x40", "0+19x40", {40: False}),
    ("too few samples", "0+2x60", "0+2x60", {60: False}),
    ("recovered", "0+100x90", "0+50x30 1500+0x60", {25: True, 70: False}),
    ("no data", "_x60", "_x60", {60: False}),
)


@NEEDS_PROMTOOL
def test_promtool_fires_a_monitor_that_compares_with_a_limit(tmp_path):
    groups = rule_groups(watched(monitors=[monitor()]), CATALOGUE)
    rule = next(r for group in groups for r in group.rules if r["alert"] == "VagusMonitor")
    alert = {
        "exp_labels": {"severity": "ticket", "project": "p", "monitor": "errors"},
        "exp_annotations": rule["annotations"],
    }
    where = '{project="p",monitor="errors"}'
    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [
                {"series": f"vagus_monitor_denominator_total{where}", "values": events},
                {"series": f"vagus_monitor_numerator_total{where}", "values": bad},
            ],
            "alert_rule_test": [told(at, *[alert] * is_on) for at, is_on in fires.items()],
        }
        for name, events, bad, fires in MONITOR_STORIES
    ]  # fmt: skip
    body = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}

    done = run_promtool(tmp_path, rules_yaml(groups), yaml.safe_dump(body, width=10_000))

    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]


@NEEDS_PROMTOOL
def test_what_vagus_says_about_its_own_rules_becomes_an_alert(tmp_path):
    sequential = monitor("seq", rule={"type": "sequential"}, severity="page")
    groups = rule_groups(watched(monitors=[sequential]), CATALOGUE)
    rules = {rule["alert"]: rule for group in groups for rule in group.rules}
    firing = {
        "exp_labels": {"severity": "page", "project": "p", "monitor": "seq", "group": "a=b"},
        "exp_annotations": rules["VagusMonitorFiring"]["annotations"],
    }
    silent = {
        "exp_labels": {"severity": "ticket", "project": "p"},
        "exp_annotations": rules["VagusSilent"]["annotations"],
    }
    where = '{project="p",monitor="seq",severity="page",group="a=b"}'
    tests = [
        {
            "interval": "1m",
            "input_series": [{"series": f"vagus_monitor_firing{where}", "values": "0x10 1x20 0x9"}],
            "alert_rule_test": [
                told(5, alert="VagusMonitorFiring"),
                told(15, firing, alert="VagusMonitorFiring"),
                told(39, alert="VagusMonitorFiring"),
                told(30, alert="VagusSilent"),
                told(90, silent, alert="VagusSilent"),
            ],
        }
    ]
    body = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": tests}

    done = run_promtool(tmp_path, rules_yaml(groups), yaml.safe_dump(body, width=10_000))

    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]


@NEEDS_PROMTOOL
def test_the_generated_tests_pass_for_the_generated_rules(tmp_path):
    some = watched([STRICT, LOOSE, objective("half", target=0.5)], [monitor(by=["model"])])
    groups = rule_groups(some, CATALOGUE, "https://vagus.example")

    checked = check_rules(tmp_path, rules_yaml(groups))
    done = run_promtool(tmp_path, rules_yaml(groups), promtool_tests(some, groups, "rules.yaml"))

    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert done.returncode == 0, done.stderr[-4000:] + done.stdout[-4000:]


@NEEDS_PROMTOOL
@pytest.mark.parametrize("name", ['a "b" \\ {{ .Nope }} \u00e9', "line\nbreak: - {", "{{ template"])
def test_a_hostile_name_stays_text(tmp_path, name):
    hostile = objective(name=name)
    groups = rule_groups(watched([hostile], [monitor(name=name)]), CATALOGUE)

    checked = check_rules(tmp_path, rules_yaml(groups))
    tests = promtool_tests(watched([hostile]), groups, "rules.yaml")
    done = run_promtool(tmp_path, rules_yaml(groups), tests)

    assert (checked.returncode, done.returncode) == (0, 0), checked.stderr + done.stderr


@pytest.mark.parametrize("target", [0.5, 0.8, 0.9, 0.95, 0.99, 0.999])
def test_a_factor_that_cannot_be_reached_has_a_comment_and_no_alert(target):
    slo = objective(target=target)
    groups = rule_groups(watched([slo]), CATALOGUE)
    text = rules_yaml(groups)
    reachable = [factor for factor in slo.factors if factor * (1 - target) < 1 - 1e-12]

    assert [pair[4] for pair in alert_pairs(slo)] == reachable
    assert text.count("alert: VagusSloBurn") == len(reachable)
    assert text.count("cannot be reached") == len(PAIRS) - len(reachable)


def test_the_series_are_called_as_sloth_calls_them():
    groups = rule_groups(watched([STRICT]), CATALOGUE)
    records = {rule["record"] for group in groups for rule in group.rules if "record" in rule}

    assert records == {
        *(f"slo:sli_error:ratio_rate{window}" for window in MINUTES),
        "slo:objective:ratio",
        "slo:error_budget:ratio",
        "slo:time_period:days",
        "slo:current_burn_rate:ratio",
        "sloth_slo_info",
    }


def test_an_objective_of_slices_is_judged_by_vagus_alone():
    slices = objective("slices", slice_target=0.95)
    groups = rule_groups(watched([slices]), CATALOGUE)
    alerts = [rule["alert"] for group in groups for rule in group.rules if "alert" in rule]

    assert alerts == ["VagusMonitorFiring", "VagusSilent"]


def test_the_api_gives_the_rules_and_their_tests(desk):
    rules = desk.client.get("/api/v1/prometheus/rules.yaml")
    tests = desk.client.get("/api/v1/prometheus/rules-test.yaml")

    assert rules.headers["content-type"].startswith("application/yaml")
    assert yaml.safe_load(rules.text)["groups"][-1]["name"] == f"vagus-monitors-{desk.project}"
    assert yaml.safe_load(tests.text)["rule_files"] == ["vagus-rules.yaml"]
