"""Relaying the outbox: what was announced in a transaction leaves it in order."""
