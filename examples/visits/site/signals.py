"""What the pages announce. The key of each is the visitor's session, or an id of one day, or nothing."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, StringConstraints

from oyez.schemas import Signal


def _readable(address: str) -> str:
    urlsplit(address)  # ValueError: it is none
    return address


Address = Annotated[str, StringConstraints(max_length=2_000), AfterValidator(_readable)]


class SiteViewed(Signal, name="site.viewed"):
    """A page was shown. `visitor_bot` is the collector's to say."""

    url: Address
    title: str = ""
    referrer: str = ""
    visitor_bot: bool = False


class SiteLeft(Signal, name="site.left"):
    """A page was left, after so many seconds."""

    url: Address
    seconds: int


class LinkFollowed(Signal, name="site.followed"):
    """A link that leads to another site was followed."""

    url: Address
    to: Address


class PageLiked(Signal, name="site.liked"):
    """Somebody liked a page: an event of the site's own."""

    url: Address


def path_of(address: str) -> str:
    """The page that an address is of."""
    return urlsplit(address).path or "/"


ANNOUNCED = (SiteViewed, SiteLeft, LinkFollowed, PageLiked)
"""What pages may announce, all of it."""
