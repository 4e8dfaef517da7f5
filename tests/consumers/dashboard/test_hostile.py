"""What comes from events, errors and people is text on a page, whatever is in it."""

from __future__ import annotations

from html.parser import HTMLParser
from urllib.parse import quote

from sqlalchemy import Text, insert, update

from consumers.dashboard.visiting import visitor
from consumers.pipeline import Pipeline, Placed, Play
from oyez.consumers import Handlers, Reject
from oyez.consumers.dashboard import Access
from oyez.consumers.dashboard.common.page import Page
from oyez.consumers.dashboard.listing import PLACES
from oyez.consumers.database.message_type import Message
from support.tables import table_named

EVIL = (
    "\"'><x-evil onmouseover=evil()>{{'zq'*3}}</x-evil>{% raw %}&lt;x-evil&gt;javascript:evil()\u202e\x1b[31m"
)
on = Handlers("shop")


@on(Placed)
def place(event: Placed) -> None:
    if event.n:
        raise Reject("too many")
    raise ValueError("no stock")


class Tags(HTMLParser):
    """What a browser makes elements of, and the attributes that they have."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.addresses += [value or "" for name, value in attrs if name in {"href", "src", "action"}]


def spoiled(play: Play) -> Pipeline:
    """A parked and a dead delivery, a pause, a halted partition and an operation, in which all that may be a text is
    hostile, but for what finds it."""
    pipeline = play(on)
    pipeline.handle(Placed(k="a"), Placed(k="b", n=1))
    kept = {
        "app",
        "group_name",
        "handler",
        "state",
        "rows",
        "recipients",
        "remaining",
        "refused",
        "counts",
        "headers",
    }
    with pipeline.engine.begin() as db:
        db.execute(
            insert(table_named("pause")).values(
                app="shop", group_name="", handler="place", key="", since=1.0, paused_by="x", reason="x"
            )
        )
        db.execute(
            insert(table_named("operation")).values(
                app="shop", action="x", who="x", chosen="x", rate="1/s", total=1, began_at=1.0, heard_at=1.0
            )
        )
        for name in ("parked", "dead", "pause", "operation", "position"):
            table = table_named(name)
            texts = [one for one in table.c if isinstance(one.type, Text | Message) and one.name not in kept]
            texts = [one for one in texts if not (name == "pause" and one.primary_key)]
            db.execute(update(table).values({one.name: EVIL for one in texts}))
        db.execute(update(table_named("parked")).values(value=f"{EVIL}\0".encode()))
    return pipeline


def test_every_page_shows_it_as_text(play: Play) -> None:
    pipeline = spoiled(play)
    client = visitor(pipeline, Access.act(who=EVIL))
    evil = quote(EVIL)
    paths = [place.path for place in PLACES if isinstance(place, Page) and "{" not in place.path]
    more = [f"/event?id={evil}", f"/timeline?key={evil}", f"/parked?key={evil}&error={evil}&source={evil}"]
    more += [
        f"/parked/discard?key={evil}",
        f"/pauses?name={evil}&key={evil}",
        "/operations/1",
        f"/dead?reason={evil}",
    ]
    seen = 0
    for path in [*paths, *more, f"/{evil}", f"/parked?reason={evil}", f"/pauses/pause?name={evil}"]:
        text = client.get(path).text
        found = Tags()
        found.feed(text)
        assert "x-evil" not in found.tags, path
        assert not [name for name in found.attributes if name.startswith("on") or name == "style"], path
        assert all(one.startswith(("/", "#")) for one in found.addresses), path
        assert "zqzqzq" not in text, path
        assert not {"\u202e", "\x1b"} & {*text.partition("<form")[0]}, path
        seen += "x-evil" in text
    assert seen > 10
