"""The complete list of signals."""

from collections.abc import Iterator
from difflib import get_close_matches

from pydantic import BaseModel

from .core_schemas import refuse_incomplete
from .declaration import Declaration
from .errors import SchemaError, UnknownSignal
from .readable import refuse_unreadable
from .requirements import check_requirements
from .versions import check_upcasts


class Catalogue:
    """Signals by name, number and class, in the order of their declaration."""

    def __init__(self) -> None:
        self._declared: dict[str, Declaration] = {}
        self._found: dict[object, Declaration] = {}
        self._unfinished: set[Declaration] = set()
        """Those whose fields named what was not defined when last looked at. To ask the class takes longer."""

    def add(self, declaration: Declaration) -> None:
        """Enter a signal. The same class defined again (a reload, a notebook) replaces its earlier self.

        SchemaError: another class has the name or the number.
        """
        kept = {name: one for name, one in self._declared.items() if not _same_class(one, declaration)}
        _refuse_duplicate(kept, declaration)
        kept[declaration.name] = declaration
        self._unfinished = {one for one in kept.values() if not one.model.__pydantic_complete__}
        self._declared, self._found = kept, _index(kept)

    def __getitem__(self, signal: str | int | type[BaseModel]) -> Declaration:
        """The declaration of a signal's name, number or class.

        UnknownSignal: none is declared. SchemaError: its fields name what is not defined.
        """
        try:
            declaration = self._found.get(signal)
        except TypeError:  # it has no hash: a list, say
            declaration = None
        if declaration is None or isinstance(signal, bool):
            raise UnknownSignal(self._unknown(signal))
        if self._unfinished and declaration in self._unfinished:
            refuse_incomplete(declaration.model)
            self._unfinished.discard(declaration)
        return declaration

    def __contains__(self, signal: object) -> bool:
        try:
            return signal in self._found and not isinstance(signal, bool)
        except TypeError:
            return False

    def __iter__(self) -> Iterator[Declaration]:
        return iter(self._declared.values())

    def __len__(self) -> int:
        return len(self._declared)

    def check(self) -> None:
        """Check what only the whole list can show: SchemaError for a requirement that is unknown, has no
        subject, or is part of a cycle (with its path); and, of a signal whose fields name what was defined after it,
        for data that could not be read, or for what is not defined by now; and for an upcast that is missing."""
        check_requirements(self._declared)
        for declaration in self:
            refuse_unreadable(declaration.model)
            check_upcasts(declaration)

    def _unknown(self, signal: object) -> str:
        if isinstance(signal, type):
            name = signal.__name__
            return f'{name} is not in the catalogue: give it a name, class {name}(Signal, name="…")'
        close = get_close_matches(str(signal), self._declared, n=3)
        known = f"did you mean {' or '.join(close)}?" if close else f"known: {self._names()}"
        return f"unknown signal {' '.join(repr(signal).split()):.100}; {known}"

    def _names(self) -> str:
        return ", ".join(sorted(self._declared)) or "none; is the module that declares it imported?"


def _same_class(one: Declaration, other: Declaration) -> bool:
    return _class(one) == _class(other)


def _refuse_duplicate(declared: dict[str, Declaration], new: Declaration) -> None:
    for one in declared.values():
        if one.name == new.name:
            raise _taken(new, f"name {new.name!r}", one)
        if new.number is not None and one.number == new.number:
            raise _taken(new, f"number {new.number}", one)


def _taken(new: Declaration, what: str, one: Declaration) -> SchemaError:
    return SchemaError(f"{_class(new)}: the {what} is taken by {_class(one)}; choose another")


def _class(declaration: Declaration) -> str:
    return f"{declaration.model.__module__}.{declaration.model.__qualname__}"


def _index(declared: dict[str, Declaration]) -> dict[object, Declaration]:
    found: dict[object, Declaration] = {}
    for one in declared.values():
        found[one.name] = found[one.model] = one
        if one.number is not None:
            found[one.number] = one
    return found


catalogue = Catalogue()
"""Where every Signal subclass with a name is entered, unless it says `catalogue=`. The one global."""
