"""`oyez tail`: events as they pass, beside all groups."""

from __future__ import annotations

import json
import signal
import subprocess

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient

from consumers.cli.running import OYEZ, Shop, one_line
from support.waiting import eventually


def announce(shop: Shop, *numbers: int) -> None:
    """A page view of a session of its own for each number."""
    lines = "\n".join(json.dumps({"session_id": f"s{n}", "url": f"/{n}"}) for n in numbers)
    done = shop.run("announce", "903", "-d", "-", given=lines)
    assert done.returncode == 0, done.stderr


def sessions(text: str) -> list[str]:
    return [json.loads(line)["data"]["session_id"] for line in text.splitlines()]


def seen(shop: Shop, *arguments: str) -> list[str]:
    return sessions(shop.print("tail", "--no-follow", "--json", *arguments))


@pytest.fixture(params=["spooled_shop", "shop"])
def any_shop(request: pytest.FixtureRequest) -> Shop:
    """A shop on the spool, and one on Kafka."""
    found: Shop = request.getfixturevalue(request.param)
    return found


def test_what_is_there_is_chosen_by_signal_key_source_and_place(any_shop: Shop) -> None:
    assert seen(any_shop, "--from-beginning") == []
    announce(any_shop, 1, 2, 3, 4, 5)
    any_shop.print("announce", "901", "-d", '{"session_id": "s2"}')
    assert sorted(seen(any_shop, "--from-beginning")) == ["s1", "s2", "s2", "s3", "s4", "s5"]
    assert seen(any_shop) == []
    assert seen(any_shop, "-n", "2") == ["s5", "s2"]
    assert seen(any_shop, "cli.page.viewed", "-n", "2") == ["s4", "s5"]
    assert seen(any_shop, "901", "--last", "9") == ["s2"]
    assert seen(any_shop, "--key", "s3", "--last", "1") == ["s3"]
    assert sorted(seen(any_shop, "--since", "1h", "--source", "web-1", "903")) == [
        "s1",
        "s2",
        "s3",
        "s4",
        "s5",
    ]
    assert seen(any_shop, "--since", "1h", "--source", "web-2") == []
    assert seen(any_shop, "--since", "2200-01-01") == []
    assert seen(any_shop, "--since", "9999-12-31T23:59:59-12:00") == []
    assert len(seen(any_shop, "--since", "0001-01-01T00:00:00+12:00")) == 6
    assert len(seen(any_shop, "--from-beginning", "--limit", "3")) == 3
    line = any_shop.print("tail", "--no-follow", "-n", "1").rstrip("\n").split("\t")
    assert line[1:5] == ["cli.session.started", "s2", "web-1", "s2"]
    assert json.loads(line[6]) == {"session_id": "s2"}


def test_it_goes_on_with_what_comes_until_it_is_told_to_stop(any_shop: Shop) -> None:
    announce(any_shop, 1)
    with any_shop.running("tail", "--json", "-n", "1", "903") as tailing:
        eventually(lambda: '"/1"' in tailing.said())
        announce(any_shop, 2, 3)
        any_shop.print("announce", "901", "-d", '{"session_id": "s2"}')
        announce(any_shop, 4)
        eventually(lambda: '"/4"' in tailing.said())
        assert tailing.end(signal.SIGINT) == 130
    printed = "\n".join(line for line in tailing.said().splitlines() if line.startswith("{"))
    assert sorted(sessions(printed)) == ["s1", "s2", "s3", "s4"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_it_can_be_ended_while_it_looks_back(any_shop: Shop, number: signal.Signals, code: int) -> None:
    announce(any_shop, 1)
    with any_shop.running("tail", "--app", "endless:on", "--last", "1") as tailing:
        eventually(lambda: "it looks back" in tailing.said())
        assert tailing.end(number) == code
    assert "Traceback" not in tailing.said()


def test_no_group_notices(shop: Shop, kafka: str) -> None:
    shop.print("db", "upgrade")
    announce(shop, 1, 2)
    assert len(seen(shop, "--from-beginning")) == 2
    admin = AdminClient({"bootstrap.servers": kafka})
    groups = {one.group_id for one in admin.list_consumer_groups().result(20).valid}
    assert "oyez-tail" not in groups
    handled = shop.run("listen", "--limit", "9")
    assert handled.returncode == 0, handled.stderr
    (group,) = (
        one for one in json.loads(shop.print("status", "--json")) if one["group"] == "clishop.cli.page.viewed"
    )
    assert (group["lag"], group["parked"]["waiting"]) == (0, 2)


def test_what_is_no_event_is_told_and_what_is_in_headers_is_one(shop: Shop, kafka: str, topic: str) -> None:
    producer = Producer({"bootstrap.servers": kafka})
    producer.produce(topic, b"{", partition=1)
    attributes = {"specversion": "1.0", "type": "of.others", "source": "erp", "id": "7"}
    attributes |= {"oyezreplays": "2", "tenant": "a\u00e9"}  # extensions, known or not
    headers = [
        *((f"ce_{name}", said) for name, said in attributes.items()),
        ("content-type", "application/json"),
    ]
    producer.produce(topic, b'{"n": 1}', key=b"k1", headers=headers)
    assert producer.flush(20) == 0
    done = shop.run("tail", "--no-follow", "--from-beginning", "--json")
    assert f"{topic}[1] 0: no event: " in done.stderr
    (event,) = map(json.loads, done.stdout.splitlines())
    assert event == {**attributes, "partitionkey": "k1", "data": {"n": 1}}
    assert shop.run("tail", "--no-follow", "--last", "5", "of.others").stdout.count("\n") == 1


def test_a_reader_that_goes_ends_it_quietly_though_nothing_comes(spooled_shop: Shop) -> None:
    announce(spooled_shop, 1)
    done = subprocess.run(
        f"{OYEZ} tail --last 1 | head -n 1",
        shell=True,
        cwd=spooled_shop.folder,
        env=spooled_shop.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout.count('"/1"')) == (0, 1)
    assert [line for line in done.stderr.splitlines() if line != "imported"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--since", "soon"], 2, "--since soon: write a time such as"),
        (["--since", "1h", "-n", "3"], 2, "give one of them"),
        (["--transport", "memory"], 2, "leaves nothing to listen to"),
        (["--transport", "kafka", "--kafka", "127.0.0.1:1"], 5, "cannot be reached"),
        (["--spool", "nowhere"], 4, "there is no folder nowhere"),
        (["903", "--app", ""], 2, "numbers of signals are an application's"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(
    spooled_shop: Shop, arguments: list[str], code: int, words: str
) -> None:
    one_line(spooled_shop.run("tail", *arguments), code, words)


def test_a_signal_that_is_none_is_told_with_the_nearest(spooled_shop: Shop) -> None:
    """Without --no-follow it would wait for ever. What others announce has another name, or is asked for so."""
    done = spooled_shop.run("tail", "cli.page.veiwed")
    one_line(done, 4, "no signal cli.page.veiwed is declared here; did you mean cli.page.viewed?", "--app ''")
    for arguments in (("cli.page.veiwed", "--app", ""), ("others.happened",)):
        assert spooled_shop.run("tail", "--no-follow", *arguments).returncode == 0
