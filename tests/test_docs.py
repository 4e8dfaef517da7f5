"""What the README shows is run as it is written."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import create_engine, inspect, text

from oyez.producers.spool_shipping.refused import quarantine
from support.waiting import eventually

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def _block(name: str) -> str:
    found = re.search(rf"<!-- run: {re.escape(name)} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"the README has no block named {name}"
    return found[1]


def test_the_first_handler_of_the_readme_runs_as_written(tmp_path: Path):
    (tmp_path / "shop.py").write_text(_block("shop.py"))
    plain = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    _run(tmp_path, plain, f"sqlite:///{tmp_path}/oyez.db")


def test_it_runs_on_kafka_and_postgresql_with_nothing_changed_but_settings(
    tmp_path: Path, kafka: str, topic: str, postgres: str
):
    (tmp_path / "shop.py").write_text(_block("shop.py"))
    engine = create_engine(postgres)
    with engine.begin() as db:
        db.execute(text("CREATE TABLE visit (id TEXT PRIMARY KEY, views INTEGER)"))
    engine.dispose()
    settings = {"OYEZ_KAFKA": kafka, "OYEZ_DATABASE": postgres, "OYEZ_TOPIC": topic}
    _run(tmp_path, os.environ | settings, postgres)


def _run(tmp_path: Path, settings: Mapping[str, str], database: str) -> None:
    environment = {
        **settings,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    }
    commands = _block("commands").replace("oyez listen", "exec oyez listen")
    shell = subprocess.Popen(["sh", "-ec", commands], cwd=tmp_path, env=environment)
    engine = create_engine(database)
    try:
        eventually(lambda: _views(engine) == [("s1", 1)], timeout=120)
    finally:
        shell.send_signal(signal.SIGTERM)
        code = shell.wait(timeout=60)
        engine.dispose()
    assert code == 0


def _views(engine) -> list[tuple[str, int]]:
    with engine.connect() as db:
        if not inspect(engine).has_table("visit"):
            return []
        return [tuple(row) for row in db.execute(text("SELECT id, views FROM visit"))]


JQ = """#!{python}
import sys, jq
_, option, program, file = sys.argv
assert option == "-c"
print(jq.compile(program).input_text(open(file).read()).text())
"""
"""The jq of the test's own dependencies, for a machine that has no other."""


def test_what_was_quarantined_is_announced_again_as_shown(tmp_path: Path):
    (command,) = re.findall(
        r"^    (jq .*refused\.ndjson.*)$", (ROOT / "docs/spool.md").read_text(), re.MULTILINE
    )
    (tmp_path / "shop.py").write_text(_block("shop.py"))
    for position in (0, 4711, 9000):
        data = {"session_id": "s1", "url": f"/é{position}"}
        line = json.dumps({"specversion": "1.0", "type": "page.viewed", "data": data})
        quarantine(tmp_path, "a-log", position, line.encode(), "too large", 0.0)
    (tmp_path / "jq").write_text(JQ.format(python=sys.executable))
    (tmp_path / "jq").chmod(0o755)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")},
        "PATH": os.pathsep.join([str(tmp_path), str(Path(sys.executable).parent), os.environ["PATH"]]),
        "OYEZ_APP": "shop:on",
        "OYEZ_SPOOL": str(tmp_path / "spool"),
    }
    subprocess.run(["sh", "-ec", command], cwd=tmp_path, env=environment, timeout=60, check=True)
    (segment,) = (tmp_path / "spool").glob("*/*.ndjson")
    assert [json.loads(line)["data"] for line in segment.open()] == [{"session_id": "s1", "url": "/é4711"}]


def test_links_between_the_documents_lead_somewhere():
    for document in [
        ROOT / "README.md",
        *ROOT.glob("docs/*.md"),
        ROOT / "ARCHITECTURE.md",
        ROOT / "CONTRIBUTING.md",
    ]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", document.read_text()):
            assert (document.parent / target).exists(), f"{document.name} links to {target}"
