"""Owning partitions: epochs, positions, and taking a partition over from another worker."""
