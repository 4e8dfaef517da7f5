"""What `oyez` lists: its commands, each with the module that is imported when it is run.

The texts are the first paragraphs of the commands' docstrings, so that the help loads none of them. A test compares
both.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Listed(NamedTuple):
    """A command. ``function`` says where it is: a module of `commands`, and its name there."""

    function: str
    text: str


@dataclass(frozen=True)
class CommandGroup:
    """A group of commands, such as `oyez retry …`. ``text`` is its help; ``usual`` is the command that is meant where
    none of them is named."""

    name: str
    text: str
    commands: Mapping[str, Listed]
    usual: str | None = None


COMMANDS: Mapping[str, Listed] = {
    "init": Listed(
        "init:init",
        "Write a small working application into an empty folder: a handler, a test, settings, a Makefile.",
    ),
    "announce": Listed(
        "announce:announce",
        "Announce an event, or one for each line of NDJSON. Prints their ids once they have arrived.",
    ),
    "listen": Listed(
        "listen:listen", "Run the handlers for what arrives, until SIGTERM (exit code 0) or SIGINT (130)."
    ),
    "collect": Listed(
        "collect:collect",
        "Take events of browsers and of other systems over HTTP, until SIGTERM (exit code 0) or SIGINT (130).",
    ),
    "replay": Listed(
        "replay:replay", "Announce stored events again: from the spool, from Kafka, or from a file."
    ),
    "dashboard": Listed(
        "dashboard:dashboard",
        "Show in a browser how everything stands, until SIGTERM (exit code 0) or SIGINT (130).",
    ),
    "sweep": Listed(
        "sweep:sweep",
        "Read what the spool holds, run what is due in the retry table of every group and "
        "whatever that releases, and send what stands in the outbox.",
    ),
    "status": Listed(
        "status:status", "Show how far each group is, what is parked and why, and what is dead."
    ),
    "rewind": Listed(
        "rewind:rewind",
        "Let a group go on from other positions, back or forward, and read its halted partitions again.",
    ),
    "pause": Listed(
        "pause:pause",
        "Pause a group, a handler or a key until it is resumed; without any of them, list what is paused.",
    ),
    "resume": Listed(
        "pause:resume", "Let go on what was paused. What it held up is due at once, in its order."
    ),
    "explain": Listed(
        "explain:explains",
        "Say what became of an event: what each of its handlers waits for, and what would release it.",
    ),
    "timeline": Listed(
        "timeline:timelines",
        "Show all that is known of a key, over all signals and servers, in the order of time.",
    ),
    "export": Listed(
        "person:exports", "Print all that is stored of a key or a subject, as one JSON object a line."
    ),
    "forget": Listed(
        "person:forgets",
        "Delete all that is stored of a key or a subject: parked, dead, mails, outbox, journal, prerequisites, "
        "and what the spool has.",
    ),
    "tail": Listed(
        "tail:tail",
        "Print events as they pass, from Kafka or the spool, until SIGTERM (exit code 0) or SIGINT (130).",
    ),
    "met": Listed(
        "met:met",
        "Record subjects of a signal as handled. What waits for them is released; what died "
        "waiting is parked again.",
    ),
    "handlers": Listed(
        "handlers:handlers",
        "List the handlers by signal, in the order in which they run: decorated ones, then "
        "event files. Exit code 3 if an event file is broken.",
    ),
    "doctor": Listed(
        "doctor:doctor",
        "Check all that the application stands on: settings, services, tables, topics, retention, "
        "clocks, disks.",
    ),
    "healthy": Listed(
        "healthy:healthy",
        "Say whether what runs here gets on, from the heartbeats of its processes; exit 1, and a "
        "line for each reason, if not.",
    ),
    "dev": Listed(
        "dev:dev", "Run a real Kafka and a real PostgreSQL in the foreground, until SIGTERM or Ctrl-C."
    ),
}
GROUPS: Sequence[CommandGroup] = (
    CommandGroup(
        "retry",
        "Look at what is parked in the retry table, and change it.",
        {
            "list": Listed(
                "deliveries_list:retry_list",
                "List what is parked: waiting for a prerequisite, behind an earlier event of its key, "
                "or due at a time.",
            ),
            "show": Listed(
                "deliveries_show:retry_show", "Show all that is kept of the parked deliveries of events."
            ),
            "release": Listed(
                "deliveries_admin:retry_release",
                "Make parked deliveries due now. The next worker or sweep checks again what they require.",
            ),
            "discard": Listed(
                "deliveries_admin:retry_discard",
                "Delete parked deliveries: they will never be handled. What waited for their events "
                "alone is released.",
            ),
        },
    ),
    CommandGroup(
        "dead",
        "Look at dead letters, which were given up, and change them.",
        {
            "list": Listed(
                "deliveries_list:dead_list", "List dead letters, with the reason why each was given up."
            ),
            "groups": Listed(
                "deliveries_show:dead_groups_",
                "Count dead letters by handler and error, the most frequent first.",
            ),
            "show": Listed(
                "deliveries_show:dead_show", "Show all that is kept of the dead letters of events."
            ),
            "retry": Listed(
                "deliveries_admin:dead_retry",
                "Put dead letters back into the retry table, where they were. Records are decoded again.",
            ),
            "discard": Listed(
                "deliveries_admin:dead_discard",
                "Delete dead letters: they will never be handled. What waited for their events alone "
                "is released.",
            ),
        },
    ),
    CommandGroup(
        "signals",
        "List the application's signals, and say what a change of them breaks. Without a command: list.",
        {
            "list": Listed("signals:signals", "List the application's signals."),
            "diff": Listed(
                "signals_diff:diff",
                "Say what has changed since a document of the signals was written. Exit code 3 if something breaks.",
            ),
        },
        usual="list",
    ),
    CommandGroup(
        "mail",
        "Send the mail queue, look at it, and change it.",
        {
            "send": Listed(
                "mail_send:mail_send",
                "Send mails of the queue: the highest priority first, and of one priority the oldest first.",
            ),
            "status": Listed(
                "mail_list:mail_status_",
                "Show how many mails wait, how many were sent, and when the last one will be.",
            ),
            "list": Listed("mail_list:mail_list", "List the mail queue. Contents are not printed."),
            "show": Listed(
                "mail_list:mail_show",
                "Show all that is kept of mails; their contents only when they are asked for.",
            ),
            "hold": Listed(
                "mail_admin:mail_hold", "Hold mails that wait: they are not sent until they are released."
            ),
            "release": Listed(
                "mail_admin:mail_release",
                "Let mails be sent that are held. With --state unsure: those that may have been sent, "
                "which are sent again.",
            ),
            "cancel": Listed(
                "mail_admin:mail_cancel",
                "Cancel mails that wait, are held, may have been sent or have failed: they will not be sent.",
            ),
            "retry": Listed(
                "mail_admin:mail_retry",
                "Try failed mails again, and delayed ones at once, for the recipients who do not have them.",
            ),
            "purge": Listed(
                "mail_admin:mail_purge",
                "Delete mails that were sent or canceled; failed ones with --state failed.",
            ),
        },
    ),
    CommandGroup(
        "db",
        "Make and check Oyez's tables in your database.",
        {
            "upgrade": Listed("db:upgrade", "Make Oyez's tables, or bring them up to date."),
            "check": Listed(
                "db:check",
                "Check that the database answers and has Oyez's tables as they are now. Exit code 3 if not.",
            ),
        },
    ),
    CommandGroup(
        "outbox",
        "Send and look at what was announced in database transactions, and has not left yet.",
        {
            "relay": Listed(
                "outbox:relay",
                "Send what stands in the outbox, in order, and delete what has arrived. Exit code 1 "
                "if something is in the way of what stays; that --limit was reached is none.",
            ),
            "retry": Listed("outbox:retry", "Let what was refused wait again, to be sent once more."),
            "status": Listed(
                "outbox:status",
                "Show how many events wait in the outbox, for how long, and what went wrong last.",
            ),
        },
    ),
    CommandGroup(
        "scheduled",
        "Look at what is to be announced later, and cancel it.",
        {
            "list": Listed("scheduled:scheduled_list", "List what is to be announced later, the next first."),
            "cancel": Listed("scheduled:scheduled_cancel", "Cancel what is to be announced later."),
        },
    ),
    CommandGroup(
        "spool",
        "Look at what is kept in local files, and ship it.",
        {
            "status": Listed(
                "spool:status",
                "Show how much there is in each log of the spool, and what was not shipped to Kafka yet.",
            ),
            "verify": Listed(
                "spool:verify_all",
                "Look at every line of every segment. Exit code 3 if something is damaged.",
            ),
            "cat": Listed(
                "spool_cat:cat",
                "Print the events in the spool as they are, one a line; archived segments too.",
            ),
            "ship": Listed(
                "spool:ship",
                "Ship what is in the spool to Kafka, in order, and mark what has arrived. Exit code 1 "
                "if some of it stays.",
            ),
        },
    ),
    CommandGroup(
        "config",
        "Look at the settings.",
        {
            "show": Listed(
                "config:config_show",
                "Show each setting: its value, and where that comes from. Passwords and other secrets "
                "are not shown.",
            ),
        },
    ),
    CommandGroup(
        "group",
        "Change consumer groups.",
        {
            "rename": Listed(
                "group_rename:rename",
                "Give a group's positions and all that waits for it to another name. Stop its workers first.",
            ),
        },
    ),
)
"""The groups of commands, in the order in which the help lists them."""
