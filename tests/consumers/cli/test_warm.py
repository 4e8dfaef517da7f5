"""A command in a fork of a process that has imported the commands is the command in a process of its own."""

from __future__ import annotations

import subprocess

import pytest

from consumers.cli.running import OYEZ, Shop

COMMANDS = (
    ["--version"],
    ["status", "--json"],
    ["announce", "cli.ticked", "-d", "{"],
    ["spool", "cat"],
    ["healthy", "--live"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_ends_and_says_the_same(spooled_shop: Shop, command: list[str]) -> None:
    there = Shop(
        spooled_shop.folder, {**spooled_shop.settings, "OYEZ_HEALTH": str(spooled_shop.folder / "health")}
    )
    there.print("db", "upgrade")
    there.print("announce", "903", "-d", "-", given='{"session_id": "sü", "url": "/"}\n')
    alone = subprocess.run(
        [OYEZ, *command],
        cwd=there.folder,
        env=there.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    fork = there.run(*command)
    assert (fork.returncode, fork.stdout, fork.stderr) == (alone.returncode, alone.stdout, alone.stderr)


def test_one_leaves_nothing_to_the_next(spooled_shop: Shop) -> None:
    other = Shop(spooled_shop.folder / "other", {**spooled_shop.settings, "OYEZ_SOURCE": "web-2"})
    other.folder.mkdir()
    for shop in (other, spooled_shop):
        shop.print("announce", "cli.ticked", "-d", "{}")
    assert '"source":"web-1"' in spooled_shop.print("spool", "cat").replace(" ", "")
    assert '"source":"web-2"' in other.print("spool", "cat").replace(" ", "")
    assert spooled_shop.run("announce", "cli.ticked", "-d", "{}", OYEZ_APP="nosuch:on").returncode != 0
