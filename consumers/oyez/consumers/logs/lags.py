"""How a member stands in a log whose lags are what the log itself says: there is no client in between."""

from __future__ import annotations

from .log import DONE, Log, Standing


def of_lags(log: Log) -> Standing:
    """What is left for a member of such a log."""
    if not log.is_settled():
        return Standing("outside", "it is not known yet which part of the log is its own")
    lags = log.lags()
    unread = [p for p in log.positions() if p not in lags]
    if unread:
        return Standing("silent", f"{unread[0].topic} partition {unread[0].number} cannot be looked at")
    behind = [(p, lag) for p, lag in lags.items() if lag > 0]
    if behind:
        partition, lag = behind[0]
        return Standing("more", f"{partition.topic} partition {partition.number} has {lag} more")
    return DONE
