"""For Celery: the visitor session and the trace travel with each task, and each worker process has an announcer."""

from __future__ import annotations

from functools import partial
from typing import Any

from celery import Task, current_task, signals

from oyez.schemas.text import flaw

from .announcer import Announcer
from .closing import closed
from .errors import SettingsError
from .made_when_used import MadeWhenUsed
from .session import bind_session, bound_session
from .settings import Settings
from .tracing import continued, current_trace, send_spans

HEADER = "oyez_session"
"""The header of a task's message that has the key."""
_BEFORE = "oyez_session_before"
TRACE = "oyez_traceparent"
"""The header that has the trace."""
_THEIRS = "traceparent"
"""The header of OpenTelemetry's own instrumentation of Celery; where that is at work, the trace is its affair."""
_CONTINUED = "oyez_trace_continued"


class Oyez:
    """The announcer of each process, and the keys of tasks: `oyez = Oyez()` beside the Celery application.

    Whatever publishes tasks or runs them has to make one; several do no harm.
    """

    def __init__(self, settings: Settings | None = None, **options: Any) -> None:
        """`settings` and `options` as for `Announcer.from_settings`."""
        self._make = partial(Announcer.from_settings, settings, **options)
        self._announcer = MadeWhenUsed(self._make)
        signals.before_task_publish.connect(_send_key, weak=False, dispatch_uid=f"{HEADER}.publish")
        signals.task_prerun.connect(_bind, weak=False, dispatch_uid=f"{HEADER}.prerun")
        signals.task_postrun.connect(_unbind, weak=False, dispatch_uid=f"{HEADER}.postrun")
        signals.worker_init.connect(self._check, weak=False)
        signals.worker_process_init.connect(self._begin, weak=False)
        signals.worker_process_shutdown.connect(self._end, weak=False)
        signals.worker_shutdown.connect(self._end, weak=False)  # pools without processes

    @property
    def announcer(self) -> Announcer:
        """This process's announcer. In a worker everything that was announced arrives when its process ends."""
        return self._announcer()

    def _check(self, **_: Any) -> None:
        """A worker whose processes could not announce takes no tasks: it ends. Celery logs any other error that is
        raised here, and goes on."""
        try:
            self._make().close(0)
        except SettingsError as error:
            raise SystemExit(f"oyez: {error}") from None

    def _begin(self, **_: Any) -> None:
        self._announcer()

    def _end(self, **_: Any) -> None:
        """No process of the pool ends as others do: nobody else has its last spans sent."""
        closed(self._announcer)
        send_spans()


def _send_key(headers: dict[str, Any], **_: Any) -> None:
    """A task that is tried again keeps its key, whatever is bound where it says so."""
    running = current_task.request if current_task else None
    is_retried = running is not None and running.id == headers.get("id")
    key = _key_of(running) if is_retried else bound_session()
    if key is not None:
        headers.setdefault(HEADER, key)
    if (trace := current_trace().get("traceparent")) is not None:
        headers.setdefault(TRACE, trace)


def _bind(task: Task, **_: Any) -> None:
    """Each task has its key bound, or none. One that runs at once, where it is called, has its caller's."""
    request = task.request
    if not request.is_eager:
        setattr(request, _BEFORE, bound_session())
        bind_session(_key_of(request))
        trace = getattr(request, TRACE, None)
        if isinstance(trace, str) and getattr(request, _THEIRS, None) is None:
            setattr(request, _CONTINUED, continued(trace))


def _unbind(task: Task, **_: Any) -> None:
    """What it has published before, such as the next task of its chain, has its key."""
    if hasattr(task.request, _BEFORE):
        bind_session(getattr(task.request, _BEFORE))
    if hasattr(task.request, _CONTINUED):
        getattr(task.request, _CONTINUED)()


def _key_of(request: Any) -> str | None:
    key = getattr(request, HEADER, None)
    return key if flaw(key) is None else None
