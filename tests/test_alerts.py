"""The rules for alerts in docs/metrics.md: Prometheus takes them, and they fire for what they are for, and else do not.

It is Prometheus' own promtool that is asked, of Debian's packages.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from support.debian import unpacked

pytestmark = pytest.mark.timeout(600)  # the first one fetches and unpacks the package
PAGE = Path(__file__).parent.parent / "docs/metrics.md"
(RULES,) = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
NAMES = [rule["alert"] for group in yaml.safe_load(RULES)["groups"] for rule in group["rules"]]
WELL = {
    'oyez_workers{group="a", instance="1"}': "1x300",
    'oyez_workers{group="b", instance="2"}': "2x300",
    'oyez_outbox_oldest_seconds{group="a"}': "1x300",
    'oyez_scheduled_overdue_seconds{group="a"}': "0x300",
    'oyez_outbox_refused_events{group="a"}': "0x300",
    'oyez_dead_deliveries_total{group="a"}': "7x300",
    'oyez_halted_partitions_total{group="a"}': "0x300",
    'oyez_halted_partitions_total{group="b"}': "1x300",
    'oyez_broken_batches_total{group="a"}': "0x300",
}
"""Series of two groups that have worked for hours; one has had something halted, long ago."""
WORKERS_OF_B = 'oyez_workers{group="b", instance="2"}'


def promtool(*arguments: str, folder: Path) -> str:
    program = unpacked("prometheus").file("usr/bin/promtool")
    done = subprocess.run(
        [program, *arguments], cwd=folder, capture_output=True, text=True, timeout=100, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


def fired(folder: Path, series: dict[str, str], at: str, expected: dict[str, list[dict[str, str]]]) -> str:
    """What promtool has to say if exactly these fire then; nothing, if they do."""
    (folder / "rules.yml").write_text(RULES)
    asked: dict[str, Any] = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [
            {
                "eval_time": at,
                "alertname": name,
                "exp_alerts": [{"exp_labels": labels} for labels in expected.get(name, [])],
            }
            for name in {*NAMES, *expected}
        ],
    }
    said = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": [asked]}
    (folder / "test.yml").write_text(yaml.safe_dump(said))
    return promtool("test", "rules", "test.yml", folder=folder)


def test_prometheus_takes_them(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(RULES)
    assert promtool("check", "rules", "rules.yml", folder=tmp_path) == ""


def test_none_fires_while_all_is_well(tmp_path: Path) -> None:
    assert fired(tmp_path, WELL, "4h", {}) == ""


OF_A, OF_B = {"group": "a"}, {"group": "b"}
TROUBLE = {
    "one group's processes are gone": (
        {WORKERS_OF_B: "2x100 _x200"},
        {"OyezGroupHasNoWorkers": [OF_B]},
    ),
    "one group's only worker has ended, and its supervisor runs": (
        {WORKERS_OF_B: "2x100 0x200"},
        {"OyezGroupHasNoWorkers": [OF_B]},
    ),
    "all are gone": (
        {name: "1x100 _x200" for name in WELL if "workers" in name},
        {"OyezGroupHasNoWorkers": [OF_A, OF_B], "OyezHasNoWorkers": [{}]},
    ),
    "a group has moved to another machine": (
        {WORKERS_OF_B: "2x100 _x200", 'oyez_workers{group="b", instance="3"}': "_x100 2x200"},
        {},
    ),
    "a partition is halted": (
        {'oyez_halted_partitions_total{group="b"}': "0x235 1x65"},
        {"OyezPartitionHalted": [OF_B]},
    ),
    "a deploy is broken": (
        {'oyez_broken_batches_total{group="a"}': "0x235 1x65"},
        {"OyezHandlersBroken": [OF_A]},
    ),
    "something was given up": (
        {'oyez_dead_deliveries_total{group="a"}': "7x235 8x65"},
        {"OyezDeadLetters": [OF_A]},
    ),
    "the outbox stands": (
        {'oyez_outbox_oldest_seconds{group="a"}': "1x100 301x200"},
        {"OyezOutboxStands": [{}]},
    ),
    "what is scheduled is late": (
        {'oyez_scheduled_overdue_seconds{group="a"}': "0x100 301x200"},
        {"OyezScheduledIsLate": [{}]},
    ),
    "the outbox has refused": (
        {'oyez_outbox_refused_events{group="a"}': "0x100 1x200"},
        {"OyezOutboxRefused": [{}]},
    ),
}


@pytest.mark.parametrize(("changed", "expected"), TROUBLE.values(), ids=TROUBLE)
def test_each_fires_for_what_it_is_for(
    changed: dict[str, str], expected: dict[str, list[dict[str, str]]], tmp_path: Path
) -> None:
    assert fired(tmp_path, WELL | changed, "4h", expected) == ""
