"""An application whose handler announces."""

from sqlalchemy import text
from sqlalchemy.orm import Session

from oyez.consumers import HandlerAnnouncer, Handlers
from oyez.schemas import Signal


class Placed(Signal, name="relay.placed", key="order"):
    order: str


class Sent(Signal, name="relay.sent", key="order"):
    order: str


on = Handlers("relay")


@on(Placed)
def send(placed: Placed, announcer: HandlerAnnouncer) -> None:
    announcer.announce(Sent(order=placed.order))


@on(Sent)
def note(sent: Sent, db: Session) -> None:
    db.execute(text("CREATE TABLE IF NOT EXISTS noted (what text)"))
    db.execute(text("INSERT INTO noted VALUES (:what)"), {"what": sent.order})
