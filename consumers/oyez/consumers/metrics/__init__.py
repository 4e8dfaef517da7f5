"""Metrics for Prometheus.

Nothing here is imported unless it is asked for: prometheus-client is an extra.
"""
