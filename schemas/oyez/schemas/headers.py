"""The headers of a record that say which mode its event is in."""

from collections.abc import Mapping, Sequence

from .errors import Undecodable

Header = str | bytes | None
Headers = Sequence[tuple[str, Header]] | Mapping[str, Header]


def is_binary(headers: Headers | None) -> bool:
    """Whether a record with these headers is a CloudEvent in binary mode: its value is the data alone."""
    if not headers:
        return False
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    names = {name.lower() for name, value in pairs if value is not None}
    if "ce_specversion" not in names:
        return False
    return not content_type(texts_of(headers, "content-type")).startswith("application/cloudevents")


def content_type(texts: Mapping[str, str]) -> str:
    """The content type among these headers, without its parameters; empty if there is none."""
    return texts.get("content-type", "").partition(";")[0].strip().lower()


def texts_of(headers: Headers, *begins: str) -> dict[str, str]:
    """The headers whose names begin so. Undecodable: one of them is no text."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    wanted = ((name.lower(), value) for name, value in pairs if value is not None)
    ours = ((name, value) for name, value in wanted if name.startswith(begins))
    try:
        return {name: value if isinstance(value, str) else value.decode() for name, value in ours}
    except UnicodeDecodeError:
        raise Undecodable("a header of the event is not UTF-8") from None
