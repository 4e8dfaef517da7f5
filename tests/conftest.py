"""What every test may ask for: a broker, databases, topics."""

import gc
import logging
import os
import sys
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from oyez.consumers.testing import Services
from support.choosing import LONG, mark
from support.in_memory import files_in_memory
from support.ordering import longest_first
from support.services import fresh_database, kafka_address, make_topic, postgres_address, unique

# By default an example may not take longer than 200 ms: on a busy machine any does.
settings.register_profile("at any speed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("at any speed")

files_in_memory(os.environ)

# Brokers of tests live for seconds or minutes: what the longer of Java's two compilers does hardly ever pays.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1")

# What earlier tests have left in cycles may be clients of Kafka. A child that collected one would crash: the client's
# threads are not there.
os.register_at_fork(before=gc.collect)

# Web servers that are killed while they are asked, browsers, thousands of interleavings: minutes that `make test` does
# not have. `make test-long` runs them.
collect_ignore = [] if "TEST_LONG" in os.environ else list(LONG)


def pytest_configure(config: pytest.Config) -> None:
    """Several test processes share the services that the one process starts that deals out the tests."""
    chosen = "not services" not in config.getoption("markexpr")
    if chosen and config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        services = ExitStack()
        config.add_cleanup(services.close)
        os.environ["OYEZ_TEST_KAFKA"] = services.enter_context(kafka_address())
        os.environ["OYEZ_TEST_POSTGRES"] = services.enter_context(postgres_address())


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Nothing is garbage while files are imported."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each test is marked by what it needs; those that take long come first."""
    mark(items)
    longest_first(items)


def pytest_collection_finish() -> None:
    """What stays to the end is looked through no more, neither at each fork nor by the collector itself."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where all services are said to be there, a skipped test is a failed one."""
    report = yield
    if report.skipped and "TEST_NO_SKIPS" in os.environ and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped: {report.longrepr}"
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A failure is named when it happens: a run that is cut off has no summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        print(f"\n{report.when} failed: {report.nodeid}", flush=True)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a command run in this process configures is undone."""
    logger = logging.getLogger("oyez")
    handlers, level, propagate = logger.handlers, logger.level, logger.propagate
    yield
    logger.handlers, logger.propagate = handlers, propagate
    logger.setLevel(level)


@pytest.fixture(autouse=True)
def nobody_asks_for_event_ids() -> Iterator[None]:
    """Whoever imports them has the calls of handlers watched: a test that only looks at names is undone."""
    yield
    if sys.modules.pop("oyez.consumers.tracing.event_ids", None) is not None:
        for name in ("EventIds", "add_event_ids"):
            vars(sys.modules["oyez.consumers"]).pop(name, None)


@pytest.fixture(scope="session")
def kafka() -> Iterator[str]:
    """The address of a real broker."""
    with kafka_address() as address:
        yield address


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server's own database."""
    with postgres_address() as address:
        yield address


@pytest.fixture(scope="session")
def oyez_services(kafka: str, postgres_server: str) -> Services:
    """What the kit's own fixture of this name starts: these are running already."""
    return Services(kafka, postgres_server)


@pytest.fixture
def postgres(postgres_server: str) -> Iterator[str]:
    """The URL of a fresh, empty PostgreSQL database."""
    with fresh_database(postgres_server) as url:
        yield url


@pytest.fixture
def sqlite(tmp_path: Path) -> str:
    """The URL of a fresh SQLite file."""
    return f"sqlite:///{tmp_path / 'oyez.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> str:
    """The URL of a fresh, empty database, of each kind in turn."""
    url: str = request.getfixturevalue(request.param)
    return url


@pytest.fixture
def topic(kafka: str) -> str:
    """The name of a fresh topic with four partitions."""
    return make_topic(kafka, unique("test"))
