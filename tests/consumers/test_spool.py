"""Reading the spool: live, copied, torn, damaged, by several at once; what is kept of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.spool_stage import SpoolStage
from consumers.stage import TOPIC, Opened, Placed, Stage, Viewed, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database.positions import FOLDER
from oyez.consumers.logs.log import Log
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.worker.worker import Worker

Make = Callable[..., SpoolStage]
GROUP = "shop.placed"


def shop(**promises: Any) -> Handlers:
    on = Handlers("shop", promises=promises or None)

    @on(Placed, order="none" if promises else "key")
    def take(events: list[Placed], db: Connection) -> None:
        note(db, "take", *(event.n for event in events))

    return on


@pytest.fixture
def make(stage_database: str, tmp_path: Path) -> Iterator[Make]:
    made: list[SpoolStage] = []

    def build(on: Handlers | None = None, root: Path | None = None, **said: Any) -> SpoolStage:
        made.append(SpoolStage(stage_database, on or shop(), root or tmp_path / "spool", **said))
        return made[-1]

    yield build
    for stage in made:
        stage.close()


def log_of(worker: Worker) -> Log:
    return worker._log


def position(stage: Stage) -> int:
    return sum(stage.rows("position", "position"))


def test_what_is_announced_is_handled_while_it_is_written(make: Make) -> None:
    stage = make()
    for n in range(30):
        stage.handle(*placed([2 * n, 2 * n + 1]))
    assert sorted(stage.effects()) == list(range(60))
    assert len(stage.segments()) > 10
    stage.replace(GROUP)
    stage.handle(*placed([60]))
    assert sorted(stage.effects()) == list(range(61))


def test_several_servers_folders_are_read_each_in_its_order(make: Make) -> None:
    stage = make()
    servers = [stage.server(f"web-{n}") for n in range(3)]
    for n in range(20):
        for number, server in enumerate(servers):
            server.announce(Placed(k=f"k{number}", n=100 * number + n))
    stage.run()
    effects = stage.effects()
    for number in range(3):
        assert [n for n in effects if n // 100 == number] == [100 * number + n for n in range(20)]
    late = stage.server("late")
    late.announce(Placed(n=999))
    stage.run()
    assert stage.effects()[-1] == 999


def test_a_view_whose_session_is_in_another_server_s_folder_waits(make: Make) -> None:
    on = Handlers("shop")

    @on(Opened)
    def opening(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewing(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    stage = make(on)
    stage.announce(Viewed(s="s1", n=1))
    stage.run()
    assert stage.effects() == []
    stage.server("other").announce(Opened(s="s1", n=2))
    stage.run()
    assert stage.effects() == [2, 1]
    assert stage.is_clean()


def test_a_copy_under_another_path_is_the_same_log(make: Make, tmp_path: Path) -> None:
    stage = make()
    stage.handle(*placed(range(10)))
    shutil.copytree(tmp_path / "spool", tmp_path / "elsewhere" / "deep" / "er")
    shutil.rmtree(tmp_path / "spool")
    again = make(root=tmp_path / "elsewhere")
    again.run()
    assert sorted(again.effects()) == list(range(10)), "the copy's position is that of the original"
    assert len(again.rows("position")) == 1


def test_a_copy_beside_the_original_is_read_once(make: Make, tmp_path: Path) -> None:
    stage = make()
    stage.announce(*placed(range(10)))
    shutil.copytree(tmp_path / "spool", tmp_path / "spool" / "copy")
    stage.run()
    assert sorted(stage.effects()) == list(range(10))
    assert len(stage.rows("position")) == 1


def test_segments_of_two_servers_in_one_directory_are_two_logs(make: Make, tmp_path: Path) -> None:
    stage = make(root=tmp_path / "all")
    for source in ("a", "b"):
        server = stage.server(source, tmp_path / "servers")
        for n in range(10):
            server.announce(Placed(k=source, n=n))
    (tmp_path / "all").mkdir()
    for file in (tmp_path / "servers").rglob("*.ndjson"):
        shutil.copy(file, tmp_path / "all")
    stage.run()
    assert sorted(stage.effects()) == sorted([*range(10), *range(10)])
    assert len(stage.rows("position")) == 2


def test_a_torn_last_line_waits_for_its_rest(make: Make) -> None:
    stage = make(segment_bytes=10_000)
    stage.handle(*placed([1, 2]))
    whole = stage.segments()[-1].read_bytes()
    before = position(stage)
    with stage.segments()[-1].open("ab") as file:
        file.write(whole[:50])
    stage.run()
    stage.run()
    assert position(stage) == before
    with stage.segments()[-1].open("ab") as file:
        file.write(whole.split(b"\n")[0][50:].replace(b'"source":"web"', b'"source":"own"') + b"\n")
    stage.run()
    assert stage.effects() in ([1, 2, 1], [1, 2])
    assert stage.is_clean()
    assert position(stage) > before


def test_a_damaged_line_is_a_dead_letter_and_the_rest_is_read(make: Make) -> None:
    stage = make()
    stage.announce(*placed([1]))
    with stage.segments()[-1].open("ab") as file:
        file.write(b'{"no": "event"}\n\x00\xff not even text\n\n')
    stage.handle(*placed([2]))
    assert stage.effects() == [1, 2]
    letters = stage.rows("dead", "topic", "partition", "value")
    assert [value for _, _, value in letters] == [b'{"no": "event"}', b"\x00\xff not even text", b""]
    assert {topic for topic, _, _ in letters} == {TOPIC}


def test_a_line_torn_in_the_middle_of_the_log_is_a_dead_letter(make: Make) -> None:
    stage = make(segment_bytes=300)
    stage.announce(*placed(range(10)))
    first = stage.segments()[0]
    content = first.read_bytes()
    first.chmod(0o600)
    first.write_bytes(content[:-1] + b"x")
    stage.run()
    assert len(stage.effects()) == 9
    (dead,) = stage.rows("dead", "value")
    assert dead.endswith(b"x")


def test_bytes_that_are_missing_stop_their_log_alone_and_loudly(make: Make, caplog: Any) -> None:
    stage = make(segment_bytes=300)
    stage.announce(*placed(range(10)))
    other = stage.server("other")
    other.announce(Placed(k="other", n=100))
    second = stage.segments()[1]
    content = second.read_bytes()
    second.chmod(0o600)
    second.write_bytes(content[: len(content) // 2])
    stage.run()
    assert 100 in stage.effects()
    assert 9 not in stage.effects()
    assert "oyez rewind" in "".join(filter(None, stage.rows("position", "halted")))
    assert "is not read any more" in caplog.text
    assert not stage.rows("dead")


def test_members_share_the_folders_and_take_over(make: Make) -> None:
    stage = make()
    servers = [stage.server(f"web-{n}") for n in range(4)]
    for server in servers:
        server.announce(Placed(n=1))
    stage.run()
    second = stage.worker(GROUP)
    for _ in range(6):
        stage.clock.now += 1.0
        stage.workers[GROUP].step()
        second.step()
    assert len(log_of(second).positions()) == 2
    assert len(log_of(stage.workers[GROUP]).positions()) == 2
    for server in servers:
        server.announce(Placed(n=2))
    second.step()
    stage.workers[GROUP].step()
    assert sorted(stage.effects()) == [1, 1, 1, 1, 2, 2, 2, 2]
    for _ in range(12):  # the first one is frozen, or has been killed: it gives no sign of life
        stage.clock.now += 1.0
        second.step()
    assert len(log_of(second).positions()) == 4
    for server in servers:
        server.announce(Placed(n=3))
    second.step()
    assert sorted(stage.effects())[-4:] == [3, 3, 3, 3]
    stage.workers[GROUP].step()  # and wakes
    stage.run()
    assert len(stage.effects()) == 12
    log_of(second).close()
    second._wakeups.close()


def test_an_at_least_once_group_keeps_its_place(make: Make) -> None:
    stage = make(shop(placed="at-least-once"))
    stage.handle(*placed(range(5)))
    stage.replace(GROUP)
    stage.handle(*placed(range(5, 8)))
    assert sorted(stage.effects()) == list(range(8))


def test_a_group_that_turns_exactly_once_goes_on_where_it_was(make: Make) -> None:
    loose = make(shop(placed="at-least-once"))
    loose.handle(*placed(range(5)))
    exact = make(shop())
    exact.handle(*placed(range(5, 8)))
    assert sorted(exact.effects()) == list(range(8))


def test_latest_begins_after_what_is_there_but_a_later_folder_is_read_whole(make: Make) -> None:
    stage = make(first_offset="latest")
    stage.announce(*placed([1, 2]))
    stage.run()
    stage.handle(*placed([3]))
    late = stage.server("late")
    late.announce(Placed(n=10))
    late.announce(Placed(n=11))
    stage.run()
    assert sorted(stage.effects()) == [3, 10, 11]


def test_a_topic_of_kafka_beside_folders_of_that_name_is_not_one_made_again(make: Make) -> None:
    stage = make()
    stage.handle(*placed([1]))
    group = MemoryGroup(stage.broker, [TOPIC])
    stage.workers[GROUP]._log.close()
    stage.logs[GROUP] = group
    moved = Stage.worker(stage, GROUP)
    stage.broker.append(
        TOPIC, b"k", stage.segments()[0].read_bytes().split(b"\n")[0].replace(b'"web"', b'"w"')
    )
    for _ in range(4):
        stage.clock.now += 1.0
        moved.step()
    assert len(stage.effects()) == 2
    assert stage.rows("position", "halted") == [None, None]
    moved._wakeups.close()


def test_a_folder_s_number_is_the_same_wherever_it_is(make: Make) -> None:
    stage = make()
    stage.handle(*placed([1]))
    (folder,) = stage.folders()
    assert stage.rows("position", "topic_id", "partition") == [
        (f"{FOLDER}{folder.log_id}", int(folder.log_id[-8:], 16) & 0x7FFF_FFFF)
    ]


def test_a_damaged_identity_keeps_nobody_from_reading(make: Make) -> None:
    stage = make()
    stage.handle(*placed([1]))
    (stage.root / "web" / TOPIC / "folder.json").write_text("{")
    other = stage.server("other")
    other.announce(Placed(k="other", n=2))
    stage.run()
    assert stage.effects() == [1, 2]
    assert len(stage.rows("position")) == 2
