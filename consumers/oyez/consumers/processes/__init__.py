"""The supervisor: one process for each group and worker, started again when it dies."""
