"""The order of the rooms: each imports only what stands below it. The picture in ARCHITECTURE.md shows the same.

A room is a folder, with all that is in it, or a module at the top; ``""`` is the package's own ``__init__``, which
shows what users import. A folder within a room is a room of its own if it is named here.
"""

ROOTS = ("schemas", "producers", "consumers")  # each may import those before it

Order = tuple[tuple[str, ...], ...]

CONSUMERS: Order = (
    ("",),
    ("django",),
    ("alembic", "cli", "inline", "testing"),
    ("cli.commands",),
    ("dashboard",),
    ("dashboard.pages",),
    ("dashboard.questions",),
    ("dashboard.common",),
    ("dashboard.drawing", "dashboard.live"),
    ("cli.common",),
    ("doctor",),
    ("run",),
    ("replay", "upkeep"),
    ("worker", "admin", "metrics"),
    ("lanes",),
    ("retry", "settings", "tracing"),
    ("execution", "partitions", "mail", "reports", "handler_files", "health"),
    ("handlers", "logs", "outbox", "processes"),
    ("database", "instrumentation"),
    ("core",),
    ("dev",),
)

PRODUCERS: Order = (
    ("",),
    ("collector", "django", "fastapi"),
    ("celery", "flask", "starlette"),
    ("closing", "web"),
    ("async_announcer", "kafka", "metrics"),
    ("announcer", "group_commit", "spool_shipping"),
    ("lookup", "lost", "memory", "spool"),
    ("failures", "ordered_sender", "outbox", "outgoing", "pass_thread", "settings_given"),
    ("settings",),
    (
        "made_when_used",
        "own_loop",
        "settings_file",
        "settings_masked",
        "settings_names",
        "expiring",
        "extras",
        "tracing",
        "transport",
    ),
    (
        "database_errors",
        "delays",
        "errors",
        "exits",
        "filling",
        "forks",
        "loggers",
        "partitioning",
        "passwords",
        "pieces",
        "scheduling",
        "session",
        "settings_lines",
        "stamps",
        "when_used",
    ),
)

ORDERS = {"consumers": CONSUMERS, "producers": PRODUCERS}
