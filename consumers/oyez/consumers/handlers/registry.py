"""The handler registry: which function handles which signal, in which group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, Never, TypeVar

from oyez.schemas import Signal
from oyez.schemas.declaration import Declaration, Prerequisite, required_prerequisites

from ..core.backoff import Backoff
from ..core.callables import place
from .callers import Call, caller
from .decorator import Decorator
from .limits import NO_LIMITS, Limit, Limits, limits_asked
from .met_by import MetBy, check_met_by
from .options import (
    Asked,
    Order,
    app_name,
    check_alone,
    check_batch,
    concurrency_asked,
    declared,
    form_asked,
    group_name,
    handler_name,
    requirements,
    retry_asked,
    timeout_asked,
)
from .signature import RegistrationError, Signature, read_signature

S = TypeVar("S", bound=Signal)
M = TypeVar("M", bound=MetBy)
Promise = Literal["exactly-once", "at-least-once"]
EXACTLY_ONCE: Promise = "exactly-once"
AT_LEAST_ONCE: Promise = "at-least-once"


@dataclass(frozen=True, eq=False)
class Handler:
    """One registered handler, with all that its registration and its signal decided. ``file`` is its event file, if
    it is from one; ``concurrency`` says in how many lanes of each worker it runs, and is None for one that runs in the
    batch's transaction; ``timeout`` are the seconds that it has for an event there."""

    name: str
    group: str
    declaration: Declaration
    function: Callable[..., object]
    signature: Signature
    requires: Mapping[str, str]
    ordered: bool
    completes: bool
    call: Call
    file: Path | None = None
    retry: Backoff | None = None
    concurrency: int | None = None
    timeout: float | None = None
    limit: Limit = NO_LIMITS
    is_watched: bool = False
    """Whether it is called with its deliveries: whoever watches the calls has to know more than the events."""

    @cached_property
    def uses_database(self) -> bool:
        """Whether it has a database parameter."""
        return bool(self.signature.injected)

    @cached_property
    def takes_list(self) -> bool:
        """Whether it is called once for many events."""
        return self.signature.form.is_batch

    @cached_property
    def wants_events(self) -> bool:
        """Whether it is called with `Event`s: it takes them, or its tools have to know them."""
        return self.signature.form.is_event or bool(self.signature.tools)

    def required(self, data: Signal) -> tuple[Prerequisite, ...]:
        """The prerequisites that must be met before this handler runs for ``data``."""
        return required_prerequisites(self.requires, data) if self.requires else ()


class Handlers:
    """An application's handlers.

    ``app`` names the application: its groups are ``<app>.<signal>``, or ``<app>.<group>`` where a handler says
    ``group=``. ``promises`` gives the delivery promise of a group by its short name; the default is
    ``"exactly-once"``.
    """

    def __init__(self, app: str, *, promises: Mapping[str, Promise] | None = None) -> None:
        self.app = app_name(app)
        self._promises = dict(promises or {})
        self._handlers: dict[str, Handler] = {}
        self._met_by: dict[str, MetBy] = {}
        for group, promise in self._promises.items():
            if promise not in (EXACTLY_ONCE, AT_LEAST_ONCE):
                raise RegistrationError(
                    f"Handlers({app!r}): the promise of {group} is {promise!r}; "
                    f"it can be {EXACTLY_ONCE!r} or {AT_LEAST_ONCE!r}"
                )

    def __iter__(self) -> Iterator[Handler]:
        return iter(self._handlers.values())

    @property
    def promises(self) -> Mapping[str, Promise]:
        """The promises given, by the groups' full names."""
        return {f"{self.app}.{group}": promise for group, promise in self._promises.items()}

    def promise_of(self, group: str) -> Promise:
        """The delivery promise of a group, by its full name."""
        return self.promises.get(group, EXACTLY_ONCE)

    def __call__(
        self,
        signal: type[S],
        *others: Never,
        name: str | None = None,
        group: str | None = None,
        requires: Mapping[type[Signal] | str, str] | None = None,
        order: Order | None = None,
        completes: bool = True,
        retry: Backoff | None = None,
        concurrency: int | None = None,
        timeout: float | None = None,
        limits: Limits | None = None,
    ) -> Decorator[S]:
        """Register the decorated function as a handler of ``signal``, of one: a second one is refused.

        ``name``: the handler's name, its function's by default. ``group``: a group to share with other signals.
        ``requires``: instead of the signal's own; ``{}`` waits for nothing. ``order``: ``"key"`` (the default for
        a signal with a key) parks later events of a key behind a parked one, ``"none"`` does not.
        ``completes=False``: events that wait for this signal do not wait for this handler. ``retry``: when its failing
        deliveries are tried again and given up, where that is not to be as the settings say. ``concurrency``: it runs
        apart from the batches, for so many events at once in each worker, one of a key at a time; an ``async def``
        always does. ``timeout``: the seconds after which it has failed for an event. ``limits``: how often it may run,
        see `Limits`.
        """

        check_alone(signal, others)
        declaration = declared(signal)  # at once: without its signal, `@on` would take the function for it
        asked = Asked(
            name,
            group,
            requires,
            order,
            completes,
            retry=retry,
            concurrency=concurrency,
            timeout=timeout,
            limits=limits,
        )

        def register(function: Callable[..., object]) -> None:
            self.add(function, declaration, asked)

        return Decorator(register)

    def met_by(self, signal: type[Signal]) -> Callable[[M], M]:
        """Register the decorated function to answer which subjects of ``signal`` are met, for what is not recorded:
        ``(db, subjects) -> those that are met``, from the application's own tables.

        It is asked for many subjects at once, before anything waits for them and in every sweep. It may only
        read, and gets a connection that it cannot end.
        """
        declaration = declared(signal, "on.met_by")

        def register(function: M) -> M:
            check_met_by(function, declaration)
            if (other := self._met_by.get(declaration.name)) is not None:
                raise RegistrationError(
                    f"{self.app}: two functions answer for {declaration.name} ({place(other)} and {place(function)}); "
                    f"let one of them ask both tables"
                )
            self._met_by[declaration.name] = function
            return function

        return register

    @property
    def answering(self) -> Mapping[str, MetBy]:
        """The functions that answer which subjects are met, by their signals' names."""
        return self._met_by

    def add(self, function: Callable[..., object], declaration: Declaration, asked: Asked) -> None:
        """Register a function as asked. Raises `RegistrationError` with the way out."""
        signature = read_signature(function, declaration.model, form_asked(asked))
        check_batch(function, signature, asked)
        name, order = handler_name(function, asked), asked.order
        timeout = timeout_asked(function, asked.timeout)
        full_group = f"{self.app}.{group_name(function, asked.group, declaration)}"
        if order not in (None, "key", "none"):
            raise RegistrationError(f"{place(function)}: order is {order!r}; it can be 'key' or 'none'")
        if name in self._handlers:
            raise RegistrationError(
                f"{self.app} has two handlers named {name} ({place(self._handlers[name].function)} and "
                f"{place(function)}); give one of them name="
            )
        _check_tools(function, self.app, name, signature)
        ordered = self._is_ordered(declaration, full_group, order)
        concurrency = concurrency_asked(function, asked, signature)
        self._handlers[name] = Handler(
            name=name,
            group=full_group,
            declaration=declaration,
            function=function,
            signature=signature,
            requires=requirements(function, asked.requires, declaration),
            ordered=ordered,
            completes=asked.completes and self.promise_of(full_group) == EXACTLY_ONCE,
            call=caller(function, signature, name, timeout),
            file=asked.file,
            retry=retry_asked(function, asked.retry),
            concurrency=concurrency,
            timeout=timeout,
            limit=limits_asked(function, asked.limits, in_lanes=concurrency is not None, ordered=ordered),
        )

    def copy(self) -> Handlers:
        """The same handlers; what is added to one is not in the other."""
        return self._with(self._handlers)

    def without(self, *names: str) -> Handlers:
        """The same handlers but these, and without the promises of groups that have no handler then."""
        rest = {name: one for name, one in self._handlers.items() if name not in names}
        groups = {one.group for one in rest.values()}
        return self._with(
            rest, {g: said for g, said in self._promises.items() if f"{self.app}.{g}" in groups}
        )

    def _with(
        self, handlers: Mapping[str, Handler], promises: Mapping[str, Promise] | None = None
    ) -> Handlers:
        other = Handlers(self.app, promises=self._promises if promises is None else promises)
        other._handlers.update(handlers)
        other._met_by.update(self._met_by)
        return other

    def _is_ordered(self, declaration: Declaration, group: str, order: Order | None) -> bool:
        if order is None:
            return declaration.key is not None and self.promise_of(group) == EXACTLY_ONCE
        return order == "key"


def _check_tools(function: Callable[..., object], app: str, name: str, signature: Signature) -> None:
    for kind in signature.tools:
        reason = kind.refusal(app, name)
        if reason is None and signature.is_async:
            reason = kind.refusal_of_async()
        if reason is not None:
            raise RegistrationError(f"{place(function)}: {reason}")
