"""Whether an event that was written is read as what it was, asked of those of which nothing else shows it."""

from pydantic import BaseModel, ValidationError

from .certainty import Plain, doubts, longest
from .declaration import Declaration
from .decoding import envelope_decoder
from .equality import same
from .errors import InvalidEvent, reasons
from .signal import Signal

_SHOWN = 60


class Check:
    """Checks the events of one signal, where that is needed."""

    def __init__(self, declaration: Declaration) -> None:
        self._name = declaration.model.__name__
        self._read = envelope_decoder(declaration)
        found = doubts(declaration.model)
        self._doubts: tuple[tuple[str, Plain], ...] | None = None if found is None else tuple(found)
        self.is_needed = self._doubts != ()
        """Whether there is a doubtful field."""
        self.longest = longest(declaration.model)
        """Bytes, above which any event is doubtful."""

    def is_doubtful(self, data: Signal) -> bool:
        """Whether the data's values leave it open how they are read."""
        if self._doubts is None:
            return True
        values = data.__dict__
        return not all(plain(values[name]) for name, plain in self._doubts)

    def check(self, data: Signal, value: bytes) -> None:
        """InvalidEvent: this event, written as `value`, could not be read, or not as what it is."""
        try:
            found = self._read(value)["data"]
            if not same(found, data):
                raise InvalidEvent(f"{self._name}: {_difference(found, data)}")
        except ValidationError as error:
            raise InvalidEvent(f"{self._name}: nobody could read it: {reasons(error)}") from None
        except RecursionError:
            raise InvalidEvent(f"{self._name}: its data is nested too deeply") from None


def _difference(found: BaseModel, data: BaseModel) -> str:
    """The first field that differs, with both values."""
    for name in type(data).model_fields:
        before, after = (getattr(one, name, None) for one in (data, found))
        if not same(after, before):
            return f"{name}: {_shown(before)} would be read as {_shown(after)}; announce what JSON can hold"
    return "its extra fields would be read as others; announce what JSON can hold"


def _shown(value: object) -> str:
    try:
        text = " ".join(repr(value).split())
    except Exception:  # noqa: BLE001 # whatever its class does
        text = f"a {type(value).__name__}"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
