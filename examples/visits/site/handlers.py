"""What happens for each event of the pages: `oyez listen --app visits.site.handlers:on`."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from oyez.consumers import Handlers
from oyez.schemas import Event
from visits.site.signals import LinkFollowed, PageLiked, SiteLeft, SiteViewed, path_of
from visits.site.tables import leaves, likes, links, views

on = Handlers("visits-site")


@on(SiteViewed, group="site")
def note_views(seen: list[Event[SiteViewed]], db: Connection) -> None:
    """A row for each view."""
    rows = [
        {"visit": one.key, "at": one.time, "path": path_of(one.data.url), "bot": one.data.visitor_bot}
        for one in seen
    ]
    db.execute(insert(views), rows)


@on(SiteLeft, group="site")
def note_leaves(left: list[SiteLeft], db: Connection) -> None:
    """How long each page was looked at."""
    db.execute(insert(leaves), [{"path": path_of(one.url), "seconds": one.seconds} for one in left])


@on(LinkFollowed, group="site")
def note_links(followed: list[LinkFollowed], db: Connection) -> None:
    """Where visitors went."""
    db.execute(insert(links), [{"path": path_of(one.url), "target": one.to} for one in followed])


@on(PageLiked, group="site")
def note_likes(liked: list[PageLiked], db: Connection) -> None:
    """What visitors liked."""
    db.execute(insert(likes), [{"path": path_of(one.url)} for one in liked])
