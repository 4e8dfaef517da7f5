"""A real Kafka and a real PostgreSQL on this machine, without Docker.

Needs the extra `oyez[dev]`.
"""

from oyez.consumers.dev.errors import ServiceError
from oyez.consumers.dev.kafka import Kafka
from oyez.consumers.dev.postgres import Postgres
from oyez.consumers.dev.serve import serve

__all__ = ["Kafka", "Postgres", "ServiceError", "serve"]
