"""`oyez announce`: where the data comes from, and what is wrong with it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from consumers.cli.conftest import Invoke
from oyez.producers.memory import shared_broker
from support.services import unique

Refused = Callable[..., None]
PAGE = '{"session_id": "s1", "url": "/a"}'


@pytest.fixture(autouse=True)
def topic(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic of the memory broker for this test alone."""
    name = unique("announce")
    monkeypatch.setenv("OYEZ_TOPIC", name)
    return name


def announced(topic: str) -> list[dict[str, Any]]:
    broker = shared_broker()
    numbers = range(broker.partitions(topic))
    return [json.loads(r.value()) for n in numbers for r in broker.read(topic, n, 0, 100)]


def test_by_name_and_by_number(invoke: Invoke, topic: str) -> None:
    ids = invoke("announce", "cli.page.viewed", "-d", PAGE).stdout.split()
    ids += invoke("announce", "903", "-d", PAGE).stdout.split()
    assert sorted(ids) == sorted(event["id"] for event in announced(topic))
    assert {event["type"] for event in announced(topic)} == {"cli.page.viewed"}


def test_json(invoke: Invoke, topic: str) -> None:
    result = invoke("announce", "cli.page.viewed", "-d", PAGE, "--json")
    assert json.loads(result.stdout) == [{"id": announced(topic)[0]["id"]}]


def test_from_a_file(invoke: Invoke, topic: str, tmp_path: Path) -> None:
    (tmp_path / "page.json").write_text(PAGE)
    assert invoke("announce", "cli.page.viewed", "-d", "@page.json").exit_code == 0
    assert announced(topic)[0]["data"] == json.loads(PAGE)


@pytest.mark.parametrize("arguments", [[], ["-d", "-"]])
def test_from_stdin(invoke: Invoke, topic: str, arguments: list[str]) -> None:
    assert invoke("announce", "903", *arguments, given=json.dumps(json.loads(PAGE), indent=1)).exit_code == 0
    assert announced(topic)[0]["data"] == json.loads(PAGE)


def test_several_lines_are_several_events(invoke: Invoke, topic: str) -> None:
    result = invoke("announce", "903", given=f"{PAGE}\n\n{PAGE}\n{PAGE}")
    assert len(result.stdout.split()) == len(announced(topic)) == 3


def test_data_is_read_as_json(invoke: Invoke, topic: str) -> None:
    """A strict model takes a date, a duration and bytes from it, and a number keeps its digits."""
    data = '{"on":"2024-05-01","lasted":"PT1M","proof":"_wA=","amount":1.10,"at":"2024-05-01T10:00:00Z"}'
    result = invoke("announce", "cli.measured", "--key", "7", given=f"{data}\n{data}")
    assert result.exit_code == 0, result.output
    first, second = (event["data"] for event in announced(topic))
    assert first == second == {"no": "7"} | json.loads(data) | {"amount": "1.1", "any": None}


def test_what_could_not_be_read_is_refused_before_the_first_is_announced(
    refused: Refused, topic: str
) -> None:
    deep = "[" * 190 + "]" * 190
    line = '{"on":"2024-05-01","lasted":"PT1M","proof":"","amount":1,"at":"2024-05-01T10:00:00Z","any":%s}'
    lines = [line % one for one in ("null", deep, f"[[[[[[[[[[{deep}]]]]]]]]]]")]
    refused(
        ["announce", "cli.measured", "--key", "7"],
        2,
        "stdin, line 3",
        "nobody could read it",
        given="\n".join(lines),
    )
    assert announced(topic) == []


def test_no_data_at_all(invoke: Invoke, topic: str) -> None:
    assert invoke("announce", "cli.ticked").exit_code == 0
    assert announced(topic)[0]["data"] == {}


@pytest.mark.parametrize("key", ["k", 'it\'s "quoted"\nand\té ☃', "x" * 250])
def test_a_key(invoke: Invoke, topic: str, key: str) -> None:
    assert invoke("announce", "903", "--key", key, "--source", "web-9", "-d", '{"url": "/"}').exit_code == 0
    (event,) = announced(topic)
    assert (event["partitionkey"], event["data"]["session_id"], event["source"]) == (key, key, "web-9")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{no", "not JSON"),
        ("", "it is empty"),
        ("nothing", "not JSON"),
        ("[]", "not an array"),
        ("3", "not a number"),
        ("null", "not null"),
        ('{"session_id": "a", "url": NaN}', "not JSON"),
        ('{"session_id": "a"}', "url: Field required"),
        ('{"session_id": "a", "url": "/", "more": 1}', "more: Extra inputs"),
        ('{"session_id": "", "url": "/"}', "the key must not be empty"),
        ('{"session_id": "\\u0000", "url": "/"}', "NUL"),
    ],
)
def test_wrong_data(refused: Refused, topic: str, given: str, words: str) -> None:
    refused(["announce", "903", "-d", given], 2, "-d: ", words)
    assert announced(topic) == []


@pytest.mark.parametrize(("key", "words"), [("", "it is empty"), ("x" * 251, "250 are allowed")])
def test_a_wrong_key(refused: Refused, key: str, words: str) -> None:
    refused(["announce", "cli.ticked", "--key", key], 2, "key", words)


def test_one_wrong_line_of_several_announces_nothing(refused: Refused, topic: str) -> None:
    refused(["announce", "903"], 2, "stdin, line 3", "url", given=f'{PAGE}\n{PAGE}\n{{"session_id": "s"}}\n')
    refused(["announce", "903"], 2, "stdin, line 2", "not JSON", given=f"{PAGE}\nwhat\n")
    assert announced(topic) == []


def test_a_file_that_is_not_there(refused: Refused) -> None:
    refused(["announce", "903", "-d", "@gone.json"], 4, "@gone.json", "no such file")


def test_a_file_that_is_not_text(refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "page.json").write_bytes(b'{"url": "\xff"}')
    refused(["announce", "903", "-d", "@page.json"], 2, "@page.json", "byte 10 is not UTF-8")
    refused(["announce", "903", "-d", "@."], 2, "Is a directory")


def test_inline_runs_the_handlers(invoke: Invoke) -> None:
    assert invoke("db", "upgrade").exit_code == 0
    assert invoke("announce", "903", "--transport", "inline", "-d", PAGE).exit_code == 0
    (waiting,) = json.loads(invoke("retry", "list", "--json").stdout)
    assert (waiting["state"], waiting["wait_signal"], waiting["wait_subject"]) == (
        "waiting",
        "cli.session.started",
        "s1",
    )
    done = invoke("announce", "901", "--transport", "inline", "--key", "s1", "-d", "{}")
    assert len(done.stdout.split()) == 1, "what handlers print is no data"
    assert json.loads(invoke("retry", "list", "--json").stdout) == []


def test_spooled_without_a_spool_names_the_setting(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OYEZ_DURABILITY", "spooled")
    announce = ["announce", "903", "--transport", "kafka", "--kafka", "127.0.0.1:1", "-d", PAGE]
    refused(announce, 2, "durability spooled needs a spool: set OYEZ_SPOOL")


def test_inline_without_tables(refused: Refused) -> None:
    refused(["announce", "903", "--transport", "inline", "-d", PAGE], 1, "oyez.db", "oyez db upgrade")
