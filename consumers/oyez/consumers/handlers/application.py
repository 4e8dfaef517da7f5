"""An application at work: its handlers in groups, checked for what could never work."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

from oyez.schemas import Catalogue, OyezError, UnknownSignal, catalogue
from oyez.schemas.declaration import Declaration
from oyez.schemas.nearest import did_you_mean
from oyez.schemas.requirements import find_cycle

from .registry import AT_LEAST_ONCE, EXACTLY_ONCE, Handler, Handlers, Promise

if TYPE_CHECKING:
    from ..core.release import OnRelease
    from .answers import Answers


class StartError(OyezError):
    """The application cannot start as its handlers are declared; the message gives the path and the way out.

    ``handlers`` are those of which one, at least, is at fault, if it is known which.
    """

    def __init__(self, message: str, *handlers: Handler) -> None:
        self.handlers = handlers
        super().__init__(message)


@dataclass(frozen=True, eq=False)
class Group:
    """One consumer group: the handlers that share a position in the log, and a delivery promise.

    ``completing`` has, by signal, the names of the handlers that must be done before a prerequisite is met;
    ``application`` has the other groups.
    """

    application: Application

    app: str
    name: str
    promise: Promise
    handlers: tuple[Handler, ...]
    completing: Mapping[str, frozenset[str]]
    on_release: OnRelease | None = None
    """Who is told of what its events release, if anybody wants to know."""

    @cached_property
    def declarations(self) -> tuple[Declaration, ...]:
        return tuple({h.declaration.name: h.declaration for h in self.handlers}.values())

    @cached_property
    def by_signal(self) -> Mapping[str, tuple[Handler, ...]]:
        return {
            d.name: tuple(h for h in self.handlers if h.declaration.name == d.name) for d in self.declarations
        }

    @cached_property
    def concurrent(self) -> tuple[Handler, ...]:
        """Those that run in lanes."""
        return tuple(h for h in self.handlers if h.concurrency is not None)

    @cached_property
    def awaited(self) -> tuple[Handler, ...]:
        """Those that are an ``async def``, and need an event loop."""
        return tuple(h for h in self.concurrent if h.signature.is_async)

    def in_place(self) -> Group:
        """The same group, of whose handlers only those run in lanes that have to."""
        handlers = (h if h.signature.is_async else replace(h, concurrency=None) for h in self.handlers)
        return replace(self, handlers=tuple(handlers))

    @cached_property
    def by_name(self) -> Mapping[str, Handler]:
        return {h.name: h for h in self.handlers}

    @cached_property
    def answers(self) -> Answers:
        """What the application's own tables can be asked."""
        return self.application.answers

    @cached_property
    def is_exact(self) -> bool:
        return self.promise == EXACTLY_ONCE


class Application:
    """The groups of an application, in the order of their registration."""

    def __init__(self, handlers: Handlers, signals: Catalogue = catalogue) -> None:
        self.name = handlers.app
        self.signals = signals
        self.handlers = tuple(handlers)
        self._answering = dict(handlers.answering)
        self._check(handlers, signals)
        names = dict.fromkeys(h.group for h in self.handlers)
        self.groups: Mapping[str, Group] = {
            name: self._group(name, handlers.promise_of(name)) for name in names
        }

    @cached_property
    def answers(self) -> Answers:
        """What the application's own tables can be asked; whoever asks has loaded SQLAlchemy, and nobody else is to."""
        from .answers import Answers  # noqa: PLC0415 # see above

        return Answers(self.name, self._answering)

    def changed(self, change: Callable[[Group], Group]) -> Application:
        """The same application with its groups changed."""
        other = copy(self)
        other.groups = {
            name: replace(change(group), application=other) for name, group in self.groups.items()
        }
        other.handlers = tuple(other.groups[one.group].by_name[one.name] for one in self.handlers)
        return other

    def group(self, name: str) -> Group:
        """A group by its full or its short name; raises `StartError` for one that is not there."""
        for candidate in (name, f"{self.name}.{name}"):
            if candidate in self.groups:
                return self.groups[candidate]
        short = [one.removeprefix(f"{self.name}.") for one in self.groups]
        meant = did_you_mean(name, [*short, *self.groups])
        raise StartError(f"{self.name} has no group {name}{meant}; it has {', '.join(self.groups)}")

    def knows(self, signal: str) -> bool:
        """Whether the application declares a signal, or handles it."""
        return signal in self.signals or bool(self.of_signal(signal))

    def of_signal(self, name: str) -> list[Group]:
        """The groups that handle a signal."""
        return [group for group in self.groups.values() if name in group.by_signal]

    def _group(self, name: str, promise: Promise) -> Group:
        handlers = tuple(h for h in self.handlers if h.group == name)
        signals = dict.fromkeys(h.declaration.name for h in handlers)
        completing = {
            s: frozenset(h.name for h in handlers if h.declaration.name == s and h.completes) for s in signals
        }
        return Group(self, self.name, name, promise, handlers, completing)

    def _check(self, handlers: Handlers, signals: Catalogue) -> None:
        if not self.handlers:
            raise StartError(
                f"{self.name} has no handlers; register one with @on(SomeSignal), and import the modules in which "
                f"handlers are where `on` is (or name a module that imports them with --app)"
            )
        signals.check()
        unknown = set(handlers.promises) - {h.group for h in self.handlers}
        if unknown:
            raise StartError(
                f"{self.name} promises something for {', '.join(sorted(unknown))}, which has no handler; "
                f"its groups: {', '.join(dict.fromkeys(h.group for h in self.handlers))}"
            )
        for handler in self.handlers:
            _check_order(handler)
            _check_promise(handler, handlers.promise_of(handler.group))
            for required in handler.requires:
                self._check_required(handler, _declared(handler, required, signals), handlers)
        self._check_completing()
        _check_cycles(self.handlers)

    def _check_required(self, handler: Handler, required: Declaration, handlers: Handlers) -> None:
        listening = [h for h in self.handlers if h.declaration.name == required.name]
        path = _path(handler, required.name)
        if not listening:
            raise StartError(
                f"{path}, which {self.name} does not handle: it would wait for ever; "
                f"register a handler for {required.name}, or give {handler.name} requires={{}}",
                handler,
            )
        if any(h.completes for h in listening):
            return
        if all(handlers.promise_of(h.group) == AT_LEAST_ONCE for h in listening):
            raise StartError(
                f"{path}, which only at-least-once groups handle: they do not record what is met; "
                f"make {listening[0].group} exactly-once, or give {handler.name} requires={{}}",
                handler,
            )
        raise StartError(
            f"{path}, whose handlers all say completes=False: nothing would ever meet it; let one of "
            f"{', '.join(h.name for h in listening)} complete it, or give {handler.name} requires={{}}",
            handler,
        )

    def _check_completing(self) -> None:
        for signal in dict.fromkeys(h.declaration.name for h in self.handlers):
            completing = [h for h in self.handlers if h.declaration.name == signal and h.completes]
            groups = sorted({h.group for h in completing})
            if len(groups) > 1 and completing[0].declaration.subject is not None:
                raise StartError(
                    f"{signal} is completed by handlers in several groups ({', '.join(groups)}), which cannot "
                    f"agree on when it is met; give them one group=, or completes=False to all but one group's",
                    *completing,
                )


def _path(handler: Handler, required: str) -> str:
    return f"{handler.name} ({handler.declaration.name}) requires {required}"


def _declared(handler: Handler, required: str, signals: Catalogue) -> Declaration:
    try:
        declaration = signals[required]
    except UnknownSignal as error:
        raise StartError(f"{_path(handler, required)}: {error}", handler) from None
    if declaration.subject is None:
        raise StartError(
            f"{_path(handler, required)}, which has no subject to wait for; give that signal subject=",
            handler,
        )
    return declaration


def _check_order(handler: Handler) -> None:
    if handler.ordered and handler.declaration.key is None:
        raise StartError(
            f"{handler.name}: order='key', but {handler.declaration.name} declares no key; "
            f"declare key= on the signal, or order='none' here",
            handler,
        )


def _check_promise(handler: Handler, promise: Promise) -> None:
    if promise != AT_LEAST_ONCE:
        return
    if handler.limit.rate is not None and not handler.uses_database:
        raise StartError(
            f"{handler.name}: its group {handler.group} is at-least-once, whose lanes are in memory and know "
            f"nothing of other workers' rates; make the group exactly-once, or leave out limits rate",
            handler,
        )
    if handler.requires:
        raise StartError(
            f"{handler.name}: its group {handler.group} is at-least-once, which cannot wait for "
            f"{', '.join(handler.requires)}; make the group exactly-once, or give the handler requires={{}}",
            handler,
        )
    if handler.ordered:
        raise StartError(
            f"{handler.name}: its group {handler.group} is at-least-once, which cannot keep order='key' "
            f"through parking; make the group exactly-once, or give the handler order='none'",
            handler,
        )


def _check_cycles(handlers: Sequence[Handler]) -> None:
    """A cycle among what completing handlers require would wait for itself; one signal's own chain does not."""
    edges: dict[str, list[str]] = {}
    for handler in handlers:
        if handler.completes:
            own = handler.declaration.name
            edges.setdefault(own, []).extend(r for r in handler.requires if r != own)
    cycle = find_cycle(edges)
    if cycle:
        links = set(pairwise(cycle))
        raise StartError(
            f"handlers wait for one another: {' -> '.join(cycle)}; "
            f"give one of their handlers requires={{}} or completes=False",
            *(
                h
                for h in handlers
                if h.completes and any((h.declaration.name, r) in links for r in h.requires)
            ),
        )
