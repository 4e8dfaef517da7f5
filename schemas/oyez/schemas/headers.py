"""The headers of a record that say which mode its event is in."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from .errors import Undecodable

TRACE = ("traceparent", "tracestate")
"""The attributes that say which trace an event belongs to."""
EXPIRY = "expirytime"
"""The attribute (an extension that CloudEvents documents) with the moment from which an event is of no use."""

Header = str | bytes | None
Headers = Sequence[tuple[str, Header]] | Mapping[str, Header]


def is_binary(headers: Headers | None) -> bool:
    """Whether a record with these headers is a CloudEvent in binary mode: its value is the data alone."""
    if not headers or "ce_specversion" not in {name for name, _ in _given(headers)}:
        return False
    return not content_type(headers).startswith("application/cloudevents")


def content_type(headers: Headers) -> str:
    """The content type among these headers, without its parameters; empty if there is none. What is no UTF-8 in it
    stands as U+FFFD, so that it is one that nobody knows."""
    found = dict(_given(headers)).get("content-type", "")
    text = found if isinstance(found, str) else found.decode(errors="replace")
    return text.partition(";")[0].strip().lower()


def texts_of(headers: Headers, names: Collection[str]) -> dict[str, str]:
    """The headers with these names. Undecodable: one of them is no text."""
    found = {name: value for name, value in _given(headers) if name in names}
    try:
        return {name: one if isinstance(one, str) else one.decode() for name, one in found.items()}
    except UnicodeDecodeError:
        raise Undecodable("a header of the event is not UTF-8") from None


def text_in(headers: Headers, name: str) -> str | None:
    """The header with this name; None if there is none, or it is no text."""
    found = dict(_given(headers)).get(name)
    try:
        return found.decode() if isinstance(found, bytes) else found
    except UnicodeDecodeError:
        return None


def _given(headers: Headers) -> Iterator[tuple[str, str | bytes]]:
    """The headers that have a value, by their names in small letters. Of two with one name the last counts."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return ((name.lower(), value) for name, value in pairs if value is not None)
