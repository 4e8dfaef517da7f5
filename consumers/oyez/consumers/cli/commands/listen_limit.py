"""`oyez listen --limit`: one bounded pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import typer

from ...core.stop_signals import Stop
from ...handlers.application import Application, Group
from ...run.bounded_pass import one_pass
from ...run.listened import Listened
from ...run.listening import prepare
from ...settings import ListenSettings
from ..common import output
from ..common.counting import counting_into
from ..common.errors import UsageProblem
from ..common.exits import FAILED
from ..common.progress import progress
from ..common.stopping import exit_code


def check_alone(*, workers: int, only_running: Sequence[object]) -> None:
    """Refuse what only workers that run until they are stopped can do; ``only_running``: what was given of that."""
    if workers != 1 or any(one is not None for one in only_running):
        raise UsageProblem(
            "--limit is one pass in this process: leave --workers, --processes and --metrics out"
        )


def listen_once(
    application: Application,
    settings: ListenSettings,
    groups: Sequence[Group],
    limit: int,
    *,
    as_json: bool,
) -> None:
    """Do it, and say how many events were handled, have expired, and remain. Exit code 1 if a group's handlers are
    broken, or a log is halted."""
    stop = Stop()
    prepare(application, settings)
    with progress("listen", limit, hidden=as_json) as advance, output.aside():
        done = one_pass(groups, settings, limit, stop, instrument=counting_into(advance))
    if as_json:
        output.json_array([_as_dict(done)])
    else:
        output.line(_line(done, is_stopped=stop()))
    if done.broken or done.halted:
        raise typer.Exit(FAILED)
    if stop():
        raise typer.Exit(exit_code(stop.number))


def _line(done: Listened, *, is_stopped: bool) -> str:
    """What no log has said is no 0."""
    hint = "; oyez retry list says why" if done.has_failed else ""
    ended = f"{done.handled} handled" + (f", {done.expired} expired" if done.expired else "")
    if not done.unsaid:
        return f"{ended}, {done.remain} remain ({done.left} in the log, {done.parked} parked){hint}"
    why = "was not asked: the pass was stopped" if is_stopped else "has not answered"
    known = f"{done.left} in the log and " if done.left else ""
    return (
        f"{ended}, {known}{done.parked} parked remain; what else is in the log is not known: it {why}{hint}"
    )


def _as_dict(done: Listened) -> dict[str, Any]:
    """What no log has said is null."""
    remain, left = (None, None) if done.unsaid else (done.remain, done.left)
    ended = {"handled": done.handled, "expired": done.expired}
    rest = {"remain": remain, "left": left, "parked": done.parked}
    return {**ended, **rest, "broken": dict(done.broken), "halted": done.halted}
