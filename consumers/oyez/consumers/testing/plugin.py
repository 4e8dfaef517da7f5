"""The pytest plugin: fixtures that are kits. Of Oyez, nothing is loaded before one of them is used.

pytest loads it in every project in which Oyez is installed.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from .kits import Kit
    from .real_services import Services

T = TypeVar("T")
MARKER = "oyez"
INI = "oyez_app"
SEED = "--oyez-seed"
KITS = pytest.StashKey["list[Kit]"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where the application is, and the seed that repeats what has failed."""
    parser.addini(INI, "the application of the fixture `oyez`, such as shop:on (else OYEZ_APP)")
    parser.getgroup("oyez").addoption(
        SEED, type=int, metavar="SEED", help="the seed of the first run(order='any') of each test"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Say what the marker is for."""
    config.addinivalue_line(
        "markers", f"{MARKER}(app, **settings): the application of the fixture `oyez`, and its settings"
    )


@pytest.fixture
def oyez(request: pytest.FixtureRequest) -> Iterator[Kit]:
    """The application in memory and on a SQLite database of this test: see `oyez.consumers.testing.Kit`."""
    from .opening import kit  # noqa: PLC0415 # loaded by who uses it

    app, settings = _asked(request)
    with _entered(partial(kit, app, seed=request.config.getoption(SEED), **settings)) as made:
        request.node.stash.setdefault(KITS, []).append(made)
        yield made


@pytest.fixture(scope="session")
def oyez_services() -> Iterator[Services]:
    """A real Kafka and a real PostgreSQL for all tests: those of OYEZ_TEST_KAFKA and OYEZ_TEST_POSTGRES, or packaged
    ones, which need `oyez[dev]`."""
    from .real_services import services  # noqa: PLC0415 # as above

    with _entered(services) as found:
        yield found


@pytest.fixture
def oyez_live(request: pytest.FixtureRequest, oyez_services: Services) -> Iterator[Kit]:
    """The application on a real Kafka and PostgreSQL, with a topic and a database of this test."""
    from .live import live_kit  # noqa: PLC0415 # as above

    app, settings = _asked(request)
    with _entered(partial(live_kit, oyez_services, app, **settings)) as made:
        request.node.stash.setdefault(KITS, []).append(made)
        yield made


@contextmanager
def _entered(make: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """What is made, for a block. That it cannot be made is said in one line, as it is the test's mistake."""
    from oyez.schemas import OyezError  # noqa: PLC0415 # as above

    with ExitStack() as stack:
        try:
            made = stack.enter_context(make())
        except OyezError as error:
            pytest.fail(str(error), pytrace=False)
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failed test shows what its kit has left, and how to repeat its order."""
    report = yield
    if report.when == "call" and report.failed and KITS in item.stash:
        from .telling import told  # noqa: PLC0415 # as above

        report.sections += [("Oyez", told(one, SEED)) for one in item.stash[KITS]]
    return report


def _asked(request: pytest.FixtureRequest) -> tuple[Any, dict[str, Any]]:
    """The application and the settings, by the nearest marker, or else the ini file."""
    settings: dict[str, Any] = {}
    app: Any = request.config.getini(INI) or None
    for marker in reversed(list(request.node.iter_markers(MARKER))):
        settings |= marker.kwargs
        app = settings.pop("app", marker.args[0] if marker.args else app)
    return app, settings
