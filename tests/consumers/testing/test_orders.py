"""Orders: those that Kafka may give, and no others; a seed repeats one."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from consumers.testing.cafe import Opened, Ordered, note, signals, tables
from oyez.consumers import Handlers
from oyez.consumers.testing import Kit, kit
from oyez.consumers.testing.orders import AnyOrder, Arrival
from oyez.schemas import Event

arrivals = st.lists(
    st.builds(
        Arrival,
        topic=st.sampled_from(["t", "u"]),
        key=st.sampled_from([None, b"a", b"b"]),
        value=st.none(),
        headers=st.just(()),
        source=st.sampled_from(["web-1", "web-2"]),
        id=st.just(""),
    ),
    max_size=8,
).map(lambda found: [one._replace(id=str(n)) for n, one in enumerate(found)])


@given(arrivals, st.integers())
def test_of_a_key_and_a_source_the_order_is_kept(found: list[Arrival], seed: int) -> None:
    arranged = AnyOrder(seed).arranged(found)
    assert (
        sorted(arranged) == sorted(found)
        if not found
        else {one.id for one in arranged} == {one.id for one in found}
    )
    lines: dict[object, list[int]] = defaultdict(list)
    for one in arranged:
        if one.key is not None:
            lines[one.topic, one.key, one.source].append(int(one.id))
    assert all(line == sorted(line) for line in lines.values())
    assert arranged == AnyOrder(seed).arranged(found)


def test_every_order_comes_up() -> None:
    found = [Arrival("t", key, None, (), "web", str(n)) for n, key in enumerate([b"a", b"a", b"b", None])]
    seen = {tuple(one.id for one in AnyOrder(seed).arranged(found)) for seed in range(500)}
    assert len(seen) == 12  # 4! / 2: of the two of a key, one is first


def watching() -> Handlers:
    """Two groups that note what they are given, in turn."""
    on = Handlers("watching")

    @on(Ordered, group="one", requires={}, order="none")
    def one(orders: list[Event[Ordered]], db: Connection) -> None:
        for order in orders:
            note(db, "one", order.data.n, f"{order.source}/{len(orders)}")

    @on(Ordered, group="other", requires={}, order="none")
    def other(orders: list[Event[Ordered]], db: Connection) -> None:
        for order in orders:
            note(db, "other", order.data.n, f"{order.source}/{len(orders)}")

    return on


def seen(seed: int | None) -> list[tuple[Any, ...]]:
    with kit(watching(), signals=signals) as oyez:
        tables.create_all(oyez.engine)
        for n in range(12):
            oyez.announce(Ordered(table="1", n=n, guest=f"g{n % 3}"), source=f"web-{n % 2}")
        assert oyez.run("announced" if seed is None else "any", seed)
        return oyez.query("SELECT handler, n, source FROM done ORDER BY seq")


def test_a_seed_repeats_all_that_groups_are_given() -> None:
    assert seen(7) == seen(7)
    runs = [seen(seed) for seed in range(5)]
    ones, others = ([[n for who, n, _ in run if who == name] for run in runs] for name in ("one", "other"))
    assert len({tuple(line) for line in ones}) == len({tuple(line) for line in others}) == 5
    assert any(line != other for line, other in zip(ones, others, strict=True)), "each group sees its own"
    assert len({size for run in runs for _, _, size in run}) > 4, "batches of many sizes"
    for line in (*ones, *others):
        for key in range(3):
            for source in range(2):
                mine = [n for n in line if n % 3 == key and n % 2 == source]
                assert mine == sorted(mine)


def test_without_one_all_comes_as_announced() -> None:
    found = seen(None)
    assert [n for who, n, _ in found if who == "one"] == list(range(12))
    assert {size.split("/")[1] for *_, size in found} == {"12"}


def test_seeds_follow_from_the_first(oyez: Kit) -> None:
    assert oyez.run(order="any").seed == oyez.first_seed
    assert oyez.run(order="any").seed == (oyez.first_seed + 1) % 2**32
    assert oyez.run(order="any", seed=3).seed == 3
    assert oyez.run().seed is None
    oyez.announce(Opened(table="1"))
    assert oyez.run(order="any", seed=4)
