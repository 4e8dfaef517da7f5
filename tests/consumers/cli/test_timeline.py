"""`oyez timeline`."""

from __future__ import annotations

import json

from consumers.cli.running import Shop, one_line


def announced(shop: Shop, signal: str, **data: str) -> str:
    return shop.print("announce", signal, "-d", json.dumps(data)).splitlines()[-1]


def test_a_session_is_told(spooled_shop: Shop) -> None:
    shop = Shop(spooled_shop.folder, {**spooled_shop.settings, "OYEZ_JOURNAL": "all"})
    shop.print("db", "upgrade")
    view = announced(shop, "cli.page.viewed", session_id="s1", url="/")
    shop.print("listen", "--limit", "9")
    start = announced(shop, "cli.session.started", session_id="s1")
    announced(shop, "cli.session.started", session_id="s2")
    shop.print("listen", "--limit", "9")
    table = shop.print("timeline", "s1")
    lines = table.splitlines()
    assert lines[0].split("\t") == ["at", "what", "signal", "event", "source", "handler", "details"]
    (waited,) = [line for line in lines if "\twaiting\t" in line]
    assert "for cli.session.started 's1'" in waited
    assert f"met by {start}" in waited
    (done,) = [line for line in lines if f"\tdone\tcli.page.viewed\t{view}" in line]
    assert "count_view" in done
    assert "s2" not in table
    found = json.loads(shop.print("timeline", "s1", "--json"))
    assert [one["what"] for one in found if one["handler"] == "count_view"] == ["waiting", "done"]
    assert shop.print("timeline", "s1", "--limit", "1").count("\n") == 2


def test_what_is_not_there_is_said(spooled_shop: Shop) -> None:
    spooled_shop.print("db", "upgrade")
    nothing = spooled_shop.run("timeline", "s1", OYEZ_JOURNAL="all")
    one_line(nothing, 4, "s1", "not read yet")
    wrong = spooled_shop.run("timeline", "s1", "--newer", "soon")
    one_line(wrong, 2, "--newer soon", "10m")
    announced(spooled_shop, "cli.page.viewed", session_id="s1", url="/")
    spooled_shop.print("listen", "--limit", "9")
    done = spooled_shop.run("timeline", "s1")
    assert done.returncode == 0
    assert "the journal is off" in done.stderr
    parked = spooled_shop.run("timeline", "s1", OYEZ_JOURNAL="parked")
    assert "not what was done at once" in parked.stderr
    sampled = spooled_shop.run("timeline", "s1", OYEZ_JOURNAL="0.000001")
    assert "not this one" in sampled.stderr
