"""Why metrics cannot be exported."""

from __future__ import annotations

from oyez.producers import SettingsError
from oyez.schemas import OyezError


class MetricsMissing(SettingsError):
    """prometheus-client is not installed."""

    def __init__(self) -> None:
        super().__init__("--metrics (OYEZ_METRICS) needs prometheus-client; run: pip install 'oyez[metrics]'")


class PortTaken(OyezError):
    """The address cannot be listened on."""

    def __init__(self, host: str, port: int, error: OSError) -> None:
        why = error.strerror or str(error)
        super().__init__(f"--metrics: cannot listen on {host} port {port}: {why}; choose another")
