"""Watching the calls of handlers: spans for OpenTelemetry, and which event a log line belongs to."""
