"""Logs: what a worker reads, partitions of records with offsets."""
