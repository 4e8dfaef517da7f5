"""Logs: what a worker reads, partitions of records with offsets."""

from .log import Log

__all__ = ["Log"]
