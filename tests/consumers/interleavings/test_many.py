"""Much behind one key, and a long chain: how many transactions they take. On SQLite."""

from __future__ import annotations

from sqlalchemy import Engine

from consumers.interleavings.every_order import nothing_is_left
from consumers.interleavings.shop import Clock, Shop, empty
from consumers.interleavings.signals import Joined, PageViewed, Replied, Script, SessionStarted, announced
from oyez.consumers import Application, Handlers


def _shop(engine: Engine) -> Shop:
    empty(engine)
    on = Handlers("shop")
    script = Script(on)
    script.handler("reply", Replied)
    script.handler("start", SessionStarted)
    script.handler("view", PageViewed)
    script.handler("join", Joined)
    return Shop(Application(on), engine, clock=Clock())


def test_a_chain_of_a_thousand_that_arrives_backwards(sqlite_engine: Engine) -> None:
    shop = _shop(sqlite_engine)
    chain = [Replied(reply=str(n), parent=str(n - 1) if n else None, n=n) for n in range(1000)]
    backwards = announced(*reversed(chain))
    for at in range(0, 1000, 100):
        shop.handle(*backwards[at : at + 100])
    claims = shop.run_due()
    assert shop.done("reply") == list(range(1000))
    nothing_is_left(shop)
    assert len(claims) <= 1000 // 500 + 2


def test_a_chain_of_a_thousand_in_one_batch(sqlite_engine: Engine) -> None:
    shop = _shop(sqlite_engine)
    chain = [Replied(reply=str(n), parent=str(n - 1) if n else None, n=n) for n in range(1000)]
    shop.handle(*announced(*chain))
    assert shop.done("reply") == list(range(1000))
    nothing_is_left(shop)


def test_ten_thousand_behind_one_key(sqlite_engine: Engine) -> None:
    shop = _shop(sqlite_engine)
    records = announced(*(PageViewed(session="s1", n=n) for n in range(10_000)))
    for at in range(0, 10_000, 500):
        shop.handle(*records[at : at + 500])
    shop.handle(*announced(SessionStarted(session="s1")))
    claims = shop.run_due()
    assert shop.done("view") == list(range(10_000))
    nothing_is_left(shop)
    assert len(claims) <= 10_000 // 500 + 1


def test_ten_thousand_of_a_key_wait_for_what_never_comes(sqlite_engine: Engine) -> None:
    shop = _shop(sqlite_engine)
    records = announced(*(PageViewed(session="s1", n=n) for n in range(10_000)))
    for at in range(0, 10_000, 500):
        shop.handle(*records[at : at + 500])
    shop.clock.now += 86_400
    claims = shop.sweep()
    assert shop.rows("parked", "id") == []
    assert len(shop.rows("dead", "id")) == 10_000
    assert len(claims) <= 10_000 // 500 + 1


def test_ten_thousand_keys_wait_for_one_subject(sqlite_engine: Engine) -> None:
    shop = _shop(sqlite_engine)
    records = announced(*(Joined(room="r1", guest=f"g{n}", n=n) for n in range(10_000)))
    for at in range(0, 10_000, 500):
        shop.handle(*records[at : at + 500])
    shop.handle(*announced(SessionStarted(session="r1")))
    claims = shop.run_due()
    assert sorted(shop.done("join")) == list(range(10_000))
    nothing_is_left(shop)
    assert len(claims) <= 10_000 // 500
