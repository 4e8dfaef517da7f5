"""The dashboard's script in a real Chromium: pages fetch themselves, and leave alone what somebody does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import insert

from consumers.dashboard.dashboard_server import Served, served
from consumers.dashboard.test_hours import fill
from consumers.mail.mail_queue import rows_of
from consumers.pipeline import TOPIC, Opened, Placed, Viewed, known
from oyez.consumers import Application, Handlers, ListenSettings
from oyez.consumers.dashboard import Access, dashboard
from oyez.consumers.dashboard.common.access import anybody
from oyez.consumers.database.tables import mail
from support.chromium import chromium
from support.tables import knowing_the_tables
from support.waiting import eventually

HIDDEN = """
let is_shown = true;
Object.defineProperty(document, "hidden", { get: () => !is_shown });
window.show = (said) => { is_shown = said; document.dispatchEvent(new Event("visibilitychange")); };
"""
"""Pages that are told whether they are seen: a browser without a screen shows all."""

on = Handlers("shop")


@on(Opened)
def greet(_event: Opened) -> None: ...


@on(Viewed)
def look(_event: Viewed) -> None: ...


@on(Placed)
def place(_event: Placed) -> None: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture
def board(pipeline_sqlite: str) -> Iterator[Served]:
    settings = ListenSettings(database=pipeline_sqlite, topic=TOPIC, transport="memory")
    app = dashboard(Application(on, known), access=anybody(Access.act()), settings=settings)
    app.state.board.changes.every = 0.05
    knowing_the_tables(app.state.board.engine)
    with served(app) as found:
        yield found


@contextmanager
def visited(browser: Browser, address: str) -> Iterator[Page]:
    """A page of a new visitor, whose console says nothing."""
    context = browser.new_context()
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda one: said.append(one.text))
    page.on("pageerror", lambda one: said.append(str(one)))
    page.goto(address)
    try:
        yield page
    finally:
        context.close()
    assert said == []


def queue(board: Served, *numbers: int) -> None:
    with board.app.state.board.engine.begin() as db:
        db.execute(insert(mail), rows_of(numbers, board.app.state.board.clock(db)))


def seen(page: Page, number: int) -> Any:
    return expect(page.get_by_role("cell", name=f"mail {number}", exact=True))


def test_a_page_fetches_itself_when_something_changes(browser: Browser, board: Served) -> None:
    with visited(browser, f"{board.address}/mail") as page:
        for number in range(3):
            queue(board, number)
            seen(page, number).to_be_visible()
        page.get_by_role("link", name="1", exact=True).focus()
        queue(board, 3)
        seen(page, 3).to_be_visible()
        assert (
            page.evaluate("document.activeElement.tagName") == "A"
        )  # the focus is where it was among its like


def test_it_waits_while_a_form_is_filled_in(browser: Browser, board: Served) -> None:
    address = f"{board.address}/mail"
    with visited(browser, address) as page, visited(browser, address) as other:
        page.get_by_label("To (a part)").fill("somebody")
        page.get_by_label("To (a part)").blur()  # what is typed counts, wherever the focus is
        queue(board, 1)
        seen(other, 1).to_be_visible()
        queue(board, 2)
        seen(other, 2).to_be_visible()
        assert page.get_by_label("To (a part)").input_value() == "somebody"
        seen(page, 1).not_to_be_visible()
        page.get_by_label("To (a part)").fill("")
        page.get_by_label("To (a part)").blur()
        seen(page, 1).to_be_visible()


def test_updates_are_paused_by_a_button_and_go_on_with_it(browser: Browser, board: Served) -> None:
    address = f"{board.address}/mail"
    with visited(browser, address) as page, visited(browser, address) as other:
        page.get_by_role("button", name="Pause updates").click()
        queue(board, 1)
        seen(other, 1).to_be_visible()
        seen(page, 1).not_to_be_visible()
        page.get_by_role("button", name="Go on with updates").click()
        queue(board, 2)
        seen(page, 1).to_be_visible()
        seen(page, 2).to_be_visible()


def test_where_there_is_no_room_for_it_a_page_asks_from_time_to_time(browser: Browser, board: Served) -> None:
    board.app.state.board.changes._most = 0
    with browser.new_context() as context:
        page = context.new_page()
        page.clock.install()
        with page.expect_response("**/live") as refused:
            page.goto(f"{board.address}/mail")
        assert refused.value.status == 503
        queue(board, 1)
        seen(page, 1).not_to_be_visible()
        page.clock.fast_forward(31_000)
        seen(page, 1).to_be_visible()


def test_tabs_that_nobody_sees_keep_no_connection(browser: Browser, board: Served) -> None:
    """A browser has six of them to a host: a seventh page would wait for ever."""
    viewers = board.app.state.board.changes
    with browser.new_context() as context:
        context.add_init_script(HIDDEN)
        pages = [context.new_page() for _ in range(7)]
        for page in pages:
            page.goto(f"{board.address}/mail")
            eventually(lambda: viewers._viewers == 1)
            page.evaluate("show(false)")
            eventually(lambda: viewers._viewers == 0)
        queue(board, 1)
        seen(pages[0], 1).not_to_be_visible()
        pages[0].evaluate("show(true)")
        seen(pages[0], 1).to_be_visible()
        queue(board, 2)
        seen(pages[0], 2).to_be_visible()


def test_what_is_opened_stays_open(browser: Browser, board: Served) -> None:
    fill(board.app.state.board.engine, time.time())
    with visited(browser, f"{board.address}/hours") as page:
        page.locator("summary").nth(1).click()
        with page.expect_response("**/hours"):
            queue(board, 1)
        assert page.locator("details").evaluate_all("all => all.map((one) => one.open)")[:3] == [
            False,
            True,
            False,
        ]


def test_without_the_script_pages_and_forms_are_the_same(browser: Browser, board: Served) -> None:
    queue(board, 1, 2)
    context = browser.new_context(java_script_enabled=False)
    try:
        page = context.new_page()
        page.goto(f"{board.address}/mail")
        expect(page.get_by_role("button", name="Pause updates")).not_to_be_visible()
        page.get_by_role("button", name="Hold…").click()
        expect(page.get_by_text("2 mails.")).to_be_visible()
        page.get_by_role("button", name="Hold", exact=True).click()
        expect(page.get_by_role("status")).to_have_text("2 mails held")
    finally:
        context.close()


@pytest.mark.parametrize(
    "path", ["/", "/hours", "/mail", "/outbox", "/spool", "/signals", "/handlers", "/settings", "/doctor"]
)
def test_no_page_breaks_its_policy_or_is_wider_than_a_phone(
    browser: Browser, board: Served, path: str
) -> None:
    queue(board, 1)
    with visited(browser, f"{board.address}{path}") as page:
        page.set_viewport_size({"width": 360, "height": 800})
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360
