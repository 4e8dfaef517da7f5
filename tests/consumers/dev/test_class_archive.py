"""Kafka's classes in a file: made once, used by every broker, and done without where it cannot be made."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from oyez.consumers.dev import Kafka
from oyez.consumers.dev.broker_settings import java_command
from oyez.consumers.dev.class_archive import ClassArchive
from oyez.consumers.dev.jars import kept_jars
from oyez.consumers.dev.process import finish

pytestmark = [pytest.mark.services, pytest.mark.slow]


def refuse(options: Sequence[str]) -> None:
    raise AssertionError("it is made a second time")


def test_brokers_use_one_that_java_accepts() -> None:
    jars = kept_jars()
    with Kafka() as broker:
        archive = ClassArchive(jars.class_path, jars.cache)
        archive.make(refuse)
        (option,) = archive.options
        assert option in Path(f"/proc/{broker.pid}/cmdline").read_text().split("\0")
    done = finish(java_command(jars.class_path, ["-Xshare:on", option, "-version"]), seconds=60)
    assert done.returncode == 0, done.stderr


def test_one_that_cannot_be_made_is_not_tried_again(tmp_path: Path) -> None:
    archive = ClassArchive(kept_jars().class_path, tmp_path)
    asked: list[Sequence[str]] = []
    archive.make(asked.append)  # nothing writes the list of classes
    assert len(asked) == 1
    assert archive.options == []
    archive.make(refuse)
