"""What a command line loads: its own command alone, and for help none at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from oyez.consumers.cli.listing import COMMANDS, GROUPS, Listed
from oyez.consumers.cli.loading import WhenRun
from oyez.consumers.cli.program import app

LISTED = {
    **COMMANDS,
    **{f"{group.name} {name}": one for group in GROUPS for name, one in group.commands.items()},
}
HEAVY = ("pydantic", "sqlalchemy", "sqlalchemy.orm", "confluent_kafka", "alembic", "oyez.schemas")
WRITING = "oyez.producers.spool.writer"
SHIPPING = "oyez.producers.spool_shipping.log_shipper"
LISTING = "oyez.consumers.reports.deliveries"
OTHERS = ("typer", "rich")
APPLICATION = """
from oyez.consumers import Handlers
from oyez.schemas import Signal

class Opened(Signal, name="opened"):
    n: int

on = Handlers("shop")

@on(Opened)
def opened(event: Opened) -> None: ...
"""
SAYING = """
import atexit, sys
atexit.register(lambda: print("LOADED", *(name for name in {names!r} if name in sys.modules), file=sys.stderr))
sys.argv[:] = {arguments!r}
{code}
"""
RUN = "from oyez.consumers.cli import main; main()"


def loaded(folder: Path, code: str, *arguments: str) -> set[str]:
    """Which of the heavy modules a process has at its end that runs ``code`` as `oyez` with these arguments."""
    said = SAYING.format(
        names=(*HEAVY, *OTHERS, WRITING, SHIPPING, LISTING), arguments=["oyez", *arguments], code=code
    )
    clean = {name: value for name, value in os.environ.items() if not name.startswith("OYEZ_")}
    done = subprocess.run(
        [sys.executable, "-c", said],
        cwd=folder,
        env=clean,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (names,) = (line for line in done.stderr.splitlines() if line.startswith("LOADED"))
    return set(names.split()[1:])


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "shop_that_is_listed.py").write_text(APPLICATION)
    (tmp_path / "oyez.toml").write_text('app = "shop_that_is_listed:on"\n')
    return tmp_path


@pytest.mark.parametrize("name", LISTED)
def test_what_is_listed_is_there_and_says_of_itself_what_is_listed(name: str) -> None:
    listed: Listed = LISTED[name]
    command = WhenRun(name.rpartition(" ")[2], listed).loaded()
    assert command.help.partition("\n\n")[0].replace("\n", " ") == listed.text
    assert command.name == name.rpartition(" ")[2]


def test_every_command_is_in_the_program() -> None:
    program = typer.main.get_command(app)
    assert isinstance(program, typer.core.TyperGroup)
    assert list(program.commands) == [*COMMANDS, *(group.name for group in GROUPS)]


def test_the_entry_point_loads_nothing_before_it_is_called(tmp_path: Path) -> None:
    assert loaded(tmp_path, "import oyez.consumers.cli") == set()


@pytest.mark.parametrize("arguments", [["--help"], ["--version"]], ids=" ".join)
def test_help_loads_no_command(tmp_path: Path, arguments: list[str]) -> None:
    assert loaded(tmp_path, RUN, *arguments) <= set(OTHERS)


def test_the_help_of_a_group_loads_no_command(tmp_path: Path) -> None:
    """Typer itself reads the options before the group with pydantic."""
    assert loaded(tmp_path, RUN, "retry", "--help") == {"pydantic", *OTHERS}


def test_announcing_into_a_spool_loads_no_database_and_no_kafka(shop: Path) -> None:
    used = loaded(shop, RUN, "announce", "opened", "--data", '{"n": 1}')
    assert used == {"pydantic", "oyez.schemas", "typer", WRITING}


def test_the_status_of_a_spool_loads_what_it_asks(shop: Path) -> None:
    loaded(shop, RUN, "db", "upgrade")
    used = loaded(shop, RUN, "status")
    assert used == {"pydantic", "sqlalchemy", "oyez.schemas", "typer"}


def test_garbage_of_a_command_is_collected(shop: Path) -> None:
    """Nothing is looked for among what is imported: that stays."""
    loaded(shop, RUN, "db", "upgrade")
    code = (
        f"import atexit, gc; atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 0)); {RUN}"
    )
    done = subprocess.run(
        [sys.executable, "-c", f"import sys; sys.argv[:] = ['oyez', 'status', '--json']; {code}"],
        cwd=shop,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "True True"
