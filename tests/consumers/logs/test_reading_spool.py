"""Reading the spool: live, copied, torn, damaged, by several at once; what is kept of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.orm import Session

from consumers.logs.spool_pipeline import SpoolPipeline
from consumers.pipeline import TOPIC, Opened, Pipeline, Placed, Viewed, note, placed
from oyez.consumers import Handlers
from oyez.consumers.database.positions import FOLDER
from oyez.consumers.logs.log import Log
from oyez.consumers.logs.memory import MemoryGroup
from oyez.consumers.worker.worker import Worker

Make = Callable[..., SpoolPipeline]
GROUP = "shop.placed"


def shop(**promises: Any) -> Handlers:
    on = Handlers("shop", promises=promises or None)

    @on(Placed, order="none" if promises else "key")
    def take(events: list[Placed], db: Connection) -> None:
        note(db, "take", *(event.n for event in events))

    return on


@pytest.fixture
def make(pipeline_database: str, tmp_path: Path) -> Iterator[Make]:
    made: list[SpoolPipeline] = []

    def build(on: Handlers | None = None, root: Path | None = None, **said: Any) -> SpoolPipeline:
        made.append(SpoolPipeline(pipeline_database, on or shop(), root or tmp_path / "spool", **said))
        return made[-1]

    yield build
    for pipeline in made:
        pipeline.close()


def log_of(worker: Worker) -> Log:
    return worker._log


def position(pipeline: Pipeline) -> int:
    return sum(pipeline.rows("position", "position"))


def test_what_is_announced_is_handled_while_it_is_written(make: Make) -> None:
    pipeline = make()
    for n in range(30):
        pipeline.handle(*placed([2 * n, 2 * n + 1]))
    assert sorted(pipeline.effects()) == list(range(60))
    assert len(pipeline.segments()) > 10
    pipeline.replace(GROUP)
    pipeline.handle(*placed([60]))
    assert sorted(pipeline.effects()) == list(range(61))


def test_several_servers_folders_are_read_each_in_its_order(make: Make) -> None:
    pipeline = make()
    servers = [pipeline.server(f"web-{n}") for n in range(3)]
    for n in range(20):
        for number, server in enumerate(servers):
            server.announce(Placed(k=f"k{number}", n=100 * number + n))
    pipeline.run()
    effects = pipeline.effects()
    for number in range(3):
        assert [n for n in effects if n // 100 == number] == [100 * number + n for n in range(20)]
    late = pipeline.server("late")
    late.announce(Placed(n=999))
    pipeline.run()
    assert pipeline.effects()[-1] == 999


def test_a_view_whose_session_is_in_another_server_s_folder_waits(make: Make) -> None:
    on = Handlers("shop")

    @on(Opened)
    def opening(event: Opened, db: Session) -> None:
        note(db, "opened", event.n)

    @on(Viewed)
    def viewing(event: Viewed, db: Session) -> None:
        note(db, "viewed", event.n)

    pipeline = make(on)
    pipeline.announce(Viewed(s="s1", n=1))
    pipeline.run()
    assert pipeline.effects() == []
    pipeline.server("other").announce(Opened(s="s1", n=2))
    pipeline.run()
    assert pipeline.effects() == [2, 1]
    assert pipeline.is_clean()


def test_a_copy_under_another_path_is_the_same_log(make: Make, tmp_path: Path) -> None:
    pipeline = make()
    pipeline.handle(*placed(range(10)))
    shutil.copytree(tmp_path / "spool", tmp_path / "elsewhere" / "deep" / "er")
    shutil.rmtree(tmp_path / "spool")
    again = make(root=tmp_path / "elsewhere")
    again.run()
    assert sorted(again.effects()) == list(range(10)), "the copy's position is that of the original"
    assert len(again.rows("position")) == 1


def test_a_copy_beside_the_original_is_read_once(make: Make, tmp_path: Path) -> None:
    pipeline = make()
    pipeline.announce(*placed(range(10)))
    shutil.copytree(tmp_path / "spool", tmp_path / "spool" / "copy")
    pipeline.run()
    assert sorted(pipeline.effects()) == list(range(10))
    assert len(pipeline.rows("position")) == 1


def test_segments_of_two_servers_in_one_directory_are_two_logs(make: Make, tmp_path: Path) -> None:
    pipeline = make(root=tmp_path / "all")
    for source in ("a", "b"):
        server = pipeline.server(source, tmp_path / "servers")
        for n in range(10):
            server.announce(Placed(k=source, n=n))
    (tmp_path / "all").mkdir()
    for file in (tmp_path / "servers").rglob("*.ndjson"):
        shutil.copy(file, tmp_path / "all")
    pipeline.run()
    assert sorted(pipeline.effects()) == sorted([*range(10), *range(10)])
    assert len(pipeline.rows("position")) == 2


def test_a_torn_last_line_waits_for_its_rest(make: Make) -> None:
    pipeline = make(segment_bytes=10_000)
    pipeline.handle(*placed([1, 2]))
    whole = pipeline.segments()[-1].read_bytes()
    before = position(pipeline)
    with pipeline.segments()[-1].open("ab") as file:
        file.write(whole[:50])
    pipeline.run()
    pipeline.run()
    assert position(pipeline) == before
    with pipeline.segments()[-1].open("ab") as file:
        file.write(whole.split(b"\n")[0][50:].replace(b'"source":"web"', b'"source":"own"') + b"\n")
    pipeline.run()
    assert pipeline.effects() in ([1, 2, 1], [1, 2])
    assert pipeline.is_clean()
    assert position(pipeline) > before


def test_a_damaged_line_is_a_dead_letter_and_the_rest_is_read(make: Make) -> None:
    pipeline = make()
    pipeline.announce(*placed([1]))
    with pipeline.segments()[-1].open("ab") as file:
        file.write(b'{"no": "event"}\n\x00\xff not even text\n\n')
    pipeline.handle(*placed([2]))
    assert pipeline.effects() == [1, 2]
    letters = pipeline.rows("dead", "topic", "partition", "value")
    assert [value for _, _, value in letters] == [b'{"no": "event"}', b"\x00\xff not even text", b""]
    assert {topic for topic, _, _ in letters} == {TOPIC}


def test_a_line_torn_in_the_middle_of_the_log_is_a_dead_letter(make: Make) -> None:
    pipeline = make(segment_bytes=300)
    pipeline.announce(*placed(range(10)))
    first = pipeline.segments()[0]
    content = first.read_bytes()
    first.chmod(0o600)
    first.write_bytes(content[:-1] + b"x")
    pipeline.run()
    assert len(pipeline.effects()) == 9
    (dead,) = pipeline.rows("dead", "value")
    assert dead.endswith(b"x")


def test_bytes_that_are_missing_stop_their_log_alone_and_loudly(make: Make, caplog: Any) -> None:
    pipeline = make(segment_bytes=300)
    pipeline.announce(*placed(range(10)))
    other = pipeline.server("other")
    other.announce(Placed(k="other", n=100))
    second = pipeline.segments()[1]
    content = second.read_bytes()
    second.chmod(0o600)
    second.write_bytes(content[: len(content) // 2])
    pipeline.run()
    assert 100 in pipeline.effects()
    assert 9 not in pipeline.effects()
    assert "oyez rewind" in "".join(filter(None, pipeline.rows("position", "halted")))
    assert "is not read any more" in caplog.text
    assert not pipeline.rows("dead")


def test_members_share_the_folders_and_take_over(make: Make) -> None:
    pipeline = make()
    servers = [pipeline.server(f"web-{n}") for n in range(4)]
    for server in servers:
        server.announce(Placed(n=1))
    pipeline.run()
    second = pipeline.worker(GROUP)
    for _ in range(6):
        pipeline.clock.now += 1.0
        pipeline.workers[GROUP].step()
        second.step()
    assert len(log_of(second).positions()) == 2
    assert len(log_of(pipeline.workers[GROUP]).positions()) == 2
    for server in servers:
        server.announce(Placed(n=2))
    second.step()
    pipeline.workers[GROUP].step()
    assert sorted(pipeline.effects()) == [1, 1, 1, 1, 2, 2, 2, 2]
    for _ in range(12):  # the first one is frozen, or has been killed: it gives no sign of life
        pipeline.clock.now += 1.0
        second.step()
    assert len(log_of(second).positions()) == 4
    for server in servers:
        server.announce(Placed(n=3))
    second.step()
    assert sorted(pipeline.effects())[-4:] == [3, 3, 3, 3]
    pipeline.workers[GROUP].step()  # and wakes
    pipeline.run()
    assert len(pipeline.effects()) == 12
    log_of(second).close()
    second._wakeups.close()


def test_an_at_least_once_group_keeps_its_place(make: Make) -> None:
    pipeline = make(shop(placed="at-least-once"))
    pipeline.handle(*placed(range(5)))
    pipeline.replace(GROUP)
    pipeline.handle(*placed(range(5, 8)))
    assert sorted(pipeline.effects()) == list(range(8))


def test_a_group_that_turns_exactly_once_goes_on_where_it_was(make: Make) -> None:
    at_least_once = make(shop(placed="at-least-once"))
    at_least_once.handle(*placed(range(5)))
    exact = make(shop())
    exact.handle(*placed(range(5, 8)))
    assert sorted(exact.effects()) == list(range(8))


def test_latest_begins_after_what_is_there_but_a_later_folder_is_read_whole(make: Make) -> None:
    pipeline = make(first_offset="latest")
    pipeline.announce(*placed([1, 2]))
    pipeline.run()
    pipeline.handle(*placed([3]))
    late = pipeline.server("late")
    late.announce(Placed(n=10))
    late.announce(Placed(n=11))
    pipeline.run()
    assert sorted(pipeline.effects()) == [3, 10, 11]


def test_a_topic_of_kafka_beside_folders_of_that_name_is_not_one_made_again(make: Make) -> None:
    pipeline = make()
    pipeline.handle(*placed([1]))
    group = MemoryGroup(pipeline.broker, [TOPIC])
    pipeline.workers[GROUP]._log.close()
    pipeline.logs[GROUP] = group
    moved = Pipeline.worker(pipeline, GROUP)
    pipeline.broker.append(
        TOPIC, b"k", pipeline.segments()[0].read_bytes().split(b"\n")[0].replace(b'"web"', b'"w"')
    )
    for _ in range(4):
        pipeline.clock.now += 1.0
        moved.step()
    assert len(pipeline.effects()) == 2
    assert pipeline.rows("position", "halted") == [None, None]
    moved._wakeups.close()


def test_a_folder_s_number_is_the_same_wherever_it_is(make: Make) -> None:
    pipeline = make()
    pipeline.handle(*placed([1]))
    (folder,) = pipeline.folders()
    assert pipeline.rows("position", "topic_id", "partition") == [
        (f"{FOLDER}{folder.log_id}", int(folder.log_id[-8:], 16) & 0x7FFF_FFFF)
    ]


def test_a_damaged_identity_keeps_nobody_from_reading(make: Make) -> None:
    pipeline = make()
    pipeline.handle(*placed([1]))
    (pipeline.root / "web" / TOPIC / "folder.json").write_text("{")
    other = pipeline.server("other")
    other.announce(Placed(k="other", n=2))
    pipeline.run()
    assert pipeline.effects() == [1, 2]
    assert len(pipeline.rows("position")) == 2
