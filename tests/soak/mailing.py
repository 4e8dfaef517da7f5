"""The mail queue: senders killed at seeded random moments; runs of 500; several senders at once."""

from __future__ import annotations

import multiprocessing
import random
import threading
import time
from collections import Counter
from functools import partial
from multiprocessing.context import ForkProcess
from pathlib import Path

from sqlalchemy import update

from consumers.mail.mail_queue import MailQueue
from consumers.mail.smtp_server import Inbox, serving
from consumers.pipeline import empty, prepare
from oyez.consumers.database.tables import mail
from oyez.consumers.mail.sender import Order, Tally
from oyez.consumers.mail.sender_locks import UNDER_WAY
from soak.figures import Figures, judged
from support.waiting import eventually

_fork = multiprocessing.get_context("fork")


def _send_all(mail_queue: MailQueue, ahead: float) -> None:
    """A sender as a process of its own, whose clock is ahead by so many seconds."""
    mail_queue.engine.dispose(close=False)
    mail_queue.sender(clock=lambda _db: time.time() + ahead).run(Order(1_000_000), Tally())


def _start(mail_queue: MailQueue, ahead: float) -> ForkProcess:
    process = _fork.Process(target=_send_all, args=[mail_queue, ahead], daemon=True)
    process.start()
    return process


def senders_killed(url: str, *, mails: int, kills: int, seed: int, policy: str) -> Figures:
    """None is lost, and every one that came twice is among those that are marked as such."""
    dice = random.Random(seed)
    with serving() as server:
        mail_queue = MailQueue(url, server, mail_policy=policy)
        mail_queue.clock.now = time.time() - 60
        mail_queue.queue(range(mails))
        moments = sorted(dice.sample(range(1, mails - 5), kills))
        for number, moment in enumerate(moments):
            # Each is told that its predecessor has been dead for a while: nobody waits for that.
            process = _start(mail_queue, 2 * UNDER_WAY * number)
            eventually(partial(_has_come, server.inbox, moment, process), 60, every=0.0005)
            _spin(dice.uniform(0, 0.004))
            process.kill()
            process.join()
        ended = 2 * UNDER_WAY * (kills + 1)
        # A server may notice a moment later that a process is gone, and holds its lock until then.
        eventually(lambda: _run(mail_queue, ended) or not mail_queue.states()["sending"], 60)
        held = _release(mail_queue)
        _run(mail_queue, 2 * ended)
        figures = _judged(mail_queue, server.inbox, mails)
        mail_queue.close()
    values = {"seed": seed, "policy": policy, "mails": mails, "killed": kills, "held": held, **figures}
    return judged("senders killed", values, lost=0, unmarked=0, unsent=0)


def _has_come(inbox: Inbox, moment: int, process: ForkProcess) -> bool:
    return len(inbox) >= moment or not process.is_alive()


def _spin(seconds: float) -> None:
    """A moment that is shorter than a nap."""
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        pass


def _run(mail_queue: MailQueue, ahead: float) -> None:
    mail_queue.sender(clock=lambda _db: time.time() + ahead).run(Order(1_000_000), Tally())


def _release(mail_queue: MailQueue) -> int:
    """Send again what may have been sent, as an operator would."""
    with mail_queue.engine.begin() as db:
        found = db.execute(
            update(mail).where(mail.c.state == "unsure").values(state="waiting", claim=None, due_at=0.0)
        )
        return int(found.rowcount)


def _judged(mail_queue: MailQueue, inbox: Inbox, mails: int) -> dict[str, int]:
    times = inbox.times()
    marked = dict(zip(mail_queue.column("message_id"), mail_queue.column("unsure"), strict=True))
    return {
        "lost": mails - len(times),
        "doubles": sum(count - 1 for count in times.values()),
        "unmarked": sum(count - 1 > marked[name] for name, count in times.items()),
        "marked": sum(marked.values()),
        "unsent": mails - mail_queue.states()["sent"],
    }


def sent_in_runs(url: str, *, mails: int, limit: int, seconds: float = 300.0) -> Figures:
    """So many mails at so many a run take exactly so many runs, on one connection each."""
    with serving() as server:
        mail_queue = MailQueue(url, server)
        mail_queue.queue(range(mails))
        runs = []
        while not (tally := mail_queue.run(limit)).is_empty:
            runs.append(tally.sent)
            mail_queue.clock.now += seconds
        times = server.inbox.times()
        connections = server.inbox.connections
        mail_queue.close()
    values = {
        "mails": mails,
        "limit": limit,
        "runs": len(runs),
        "received": len(times),
        "connections": connections,
    }
    values["twice"] = sum(count > 1 for count in times.values())
    expected = -(-mails // limit)
    return judged("mail in runs", values, runs=expected, received=mails, connections=expected, twice=0)


def sent_by_several(url: str, *, mails: int, limit: int, senders: int) -> Figures:
    """Several senders at once send everything, and nothing twice."""
    with serving() as server:
        mail_queue = MailQueue(url, server)
        mail_queue.queue(range(mails))
        tallies: list[Tally] = []

        def work() -> None:
            while not (tally := mail_queue.run(limit)).is_empty:
                tallies.append(tally)

        threads = [threading.Thread(target=work) for _ in range(senders)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        times = server.inbox.times()
        values = {
            "mails": mails,
            "senders": senders,
            "sent": sum(tally.sent for tally in tallies),
            "received": len(times),
            "twice": sum(count > 1 for count in times.values()),
            "unsure": sum(tally.unsure for tally in tallies),
        }
        mail_queue.close()
    return judged("several senders", values, sent=mails, received=mails, twice=0, unsure=0)


def sent_to_a_moody_server(url: str, *, mails: int, limit: int) -> Figures:
    """One address is refused for good and another one three times for the moment: it stops nobody."""
    refusals = Counter({"u70@a.example": 3})

    def refuse(address: str) -> str | None:
        if address == "u7@a.example":
            return "550 5.1.1 no such user here"
        if refusals[address] > 0:
            refusals[address] -= 1
            return "451 4.7.1 come back later"
        return None

    inbox = Inbox()
    inbox.on_rcpt = refuse
    with serving(inbox) as server:
        mail_queue = MailQueue(url, server)
        mail_queue.queue(range(mails))
        begun, runs = mail_queue.clock.now, 0
        while mail_queue.states()["waiting"]:
            mail_queue.run(limit)
            runs += 1
            mail_queue.clock.now += 300
        times, failed = inbox.times(), mail_queue.row(7)
        values = {
            "mails": mails,
            "runs": runs,
            "received": len(times),
            "twice": sum(count > 1 for count in times.values()),
            "failed": mail_queue.states()["failed"],
            "said": failed.error,
            "attempts": mail_queue.row(70).attempts,
            "in time": mail_queue.clock.now - begun <= 300 * (-(-mails // limit) + 4),
        }
        mail_queue.close()
    said = "u7@a.example: 550 5.1.1 no such user here"
    return judged(
        "a moody server",
        values,
        received=mails - 1,
        twice=0,
        failed=1,
        said=said,
        attempts=4,
        **{"in time": True},
    )


def mail_queue(url: str, folder: Path, *, seed: int) -> Figures:
    """All of these in full size, on both databases."""
    file = f"sqlite:///{folder / 'mail.db'}"
    found = []
    for one in (url, file):
        prepare(one)
        found.append(sent_in_runs(one, mails=2_000, limit=500))
        empty(one)
        found.append(sent_by_several(one, mails=2_000, limit=500, senders=3))
        empty(one)
        found.append(sent_to_a_moody_server(one, mails=2_000, limit=500))
        for policy in ("hold", "resend"):
            empty(one)
            found.append(senders_killed(one, mails=1_000, kills=50, seed=seed, policy=policy))
    values = {f"{at + 1}": str(figures) for at, figures in enumerate(found)}
    return Figures("mail", values, tuple(wrong for figures in found for wrong in figures.wrong))
