"""Lines of real use, which the help of each command ends with. A test parses each as the command does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

FIRST: Sequence[str] = (
    "oyez init shop && cd shop",
    "oyez doctor",
    "oyez listen",
    "oyez status --watch",
)
"""Those of `oyez --help`."""

EXAMPLES: Mapping[str, Sequence[str]] = {
    "init": ("oyez init shop && cd shop",),
    "announce": (
        """oyez announce page.viewed -d '{"session_id": "s1", "url": "/"}'""",
        "zcat views.ndjson.gz | oyez announce page.viewed -d -",
    ),
    "listen": ("oyez listen", "oyez listen page.viewed order.placed --workers 4", "oyez listen --limit 1000"),
    "collect": ("oyez collect --host 127.0.0.1 --port 8080", "oyez collect --try"),
    "replay": (
        "oyez replay spool --signal page.viewed --since 2h --dry-run",
        "oyez replay kafka --key s1 --to-handler count_view --rate 50/s --yes",
    ),
    "dashboard": ("oyez dashboard", "oyez dashboard --port 8081 --act"),
    "sweep": ("oyez sweep", "oyez sweep --every 60 --max-seconds 50"),
    "status": ("oyez status", "oyez status --watch --every 5", "oyez status --json | jq '.[].dead'"),
    "rewind": (
        "oyez rewind page.viewed --to 2026-07-01T12:00:00Z --dry-run",
        "oyez rewind page.viewed --to earliest --partition 3",
    ),
    "pause": (
        "oyez pause count_view --reason 'the counter is being moved'",
        "oyez pause --key s1",
        "oyez pause",
    ),
    "resume": ("oyez resume count_view", "oyez resume --all"),
    "explain": ("oyez explain 0198c1f2-7d3a-7c41-9a55-0d7be2a1c001",),
    "timeline": ("oyez timeline s1 --newer 2h",),
    "export": ("oyez export s1 > s1.ndjson", "oyez export customer-7 --only subject"),
    "forget": ("oyez forget s1 --dry-run", "oyez forget customer-7 --only subject --yes"),
    "tail": ("oyez tail page.viewed -n 10", "oyez tail --key s1 --since 10m --no-follow --json"),
    "met": ("oyez met session.started s1 s2", "oyez met session.started @subjects.txt --dry-run"),
    "handlers": ("oyez handlers", "oyez handlers --json"),
    "doctor": ("oyez doctor", """oyez doctor --json | jq '.[] | select(.state == "wrong")'"""),
    "healthy": ("oyez healthy", "oyez healthy --live"),
    "dev": ("oyez dev", "oyez dev --no-kafka"),
    "retry list": ("oyez retry list --reason waiting --older 10m", "oyez retry list --key s1 --json"),
    "retry show": ("oyez retry show 0198c1f2-7d3a-7c41-9a55-0d7be2a1c001",),
    "retry release": (
        "oyez retry release --handler count_view --dry-run",
        "oyez retry release --key s1 --force",
        "oyez retry release --signal page.viewed --rate 100/min --yes",
    ),
    "retry discard": ("oyez retry discard --key s1 --dry-run", "oyez retry discard --older 7d --yes"),
    "dead list": ("oyez dead list --newer 1h", "oyez dead list --error 'no such table' --json"),
    "dead groups": ("oyez dead groups", "oyez dead groups --newer 1h"),
    "dead show": ("oyez dead show 0198c1f2-7d3a-7c41-9a55-0d7be2a1c001",),
    "dead retry": (
        "oyez dead retry --id 0198c1f2-7d3a-7c41-9a55-0d7be2a1c001",
        "oyez dead retry --handler count_view --rate 50/s",
    ),
    "dead discard": ("oyez dead discard --handler count_view --older 30d --dry-run",),
    "signals list": ("oyez signals", "oyez signals --asyncapi > asyncapi.json"),
    "signals diff": ("oyez signals --json-schema > old.json", "oyez signals diff old.json --backward"),
    "mail send": ("oyez mail send --limit 500", "oyez mail send --every 300 --rate 100/min"),
    "mail status": ("oyez mail status",),
    "mail list": ("oyez mail list --state failed", "oyez mail list --newer 1h --json"),
    "mail show": ("oyez mail show 17 --content",),
    "mail hold": ("oyez mail hold --priority 0 --to example.org --dry-run",),
    "mail release": ("oyez mail release --yes", "oyez mail release --state unsure --dry-run"),
    "mail cancel": ("oyez mail cancel --to ada@example.org",),
    "mail retry": ("oyez mail retry --newer 1d",),
    "mail purge": ("oyez mail purge --older 30d --yes",),
    "db upgrade": ("oyez db upgrade", "oyez db upgrade --database postgresql://shop@127.0.0.1/shop"),
    "db check": ("oyez db check && oyez listen",),
    "outbox relay": ("oyez outbox relay", "oyez outbox relay --every 5"),
    "outbox retry": ("oyez outbox retry && oyez outbox relay",),
    "outbox status": ("oyez outbox status --json",),
    "scheduled list": ("oyez scheduled list --until 24h", "oyez scheduled list --key s1 --json"),
    "scheduled cancel": ("oyez scheduled cancel --signal shop.cart.reminded --key s1 --dry-run",),
    "spool status": ("oyez spool status", "oyez spool status /mnt/web-1/spool"),
    "spool verify": ("oyez spool verify",),
    "spool cat": ("oyez spool cat --from 10m --follow", "oyez spool cat | jq .data"),
    "spool ship": ("oyez spool ship", "oyez spool ship /mnt/web-1/spool --every 10"),
    "config show": ("oyez config show --set", "oyez config show topic OYEZ_DATABASE"),
    "group rename": ("oyez group rename shop.page.viewed shop.visits",),
}


def epilog_of(name: str) -> str:
    """What the help of a command ends with; of a group: the first example of each of its commands."""
    return as_epilog(
        EXAMPLES.get(name) or [one[0] for full, one in EXAMPLES.items() if full.startswith(f"{name} ")]
    )


def as_epilog(lines: Sequence[str]) -> str:
    """Each line is a paragraph: typer joins what is in one."""
    return "\n\n".join(["Examples:" if len(lines) > 1 else "Example:", *lines])
