"""Logs: what a worker reads. Partitions of records with offsets."""

from .log import Log

__all__ = ["Log"]
