"""The settings of this process, and where each was set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from oyez.producers.errors import SettingsError

from ...reports import SettingState, setting_states
from ...settings import ListenSettings


def settings_of(settings: ListenSettings) -> Sequence[SettingState]:
    """All of them as they are in force, without secrets. Raises `SettingsError` for a file that cannot be read."""
    return setting_states(_given(settings))


def _given(settings: ListenSettings) -> dict[str, Any]:
    """What was given to this process: whatever differs from what the environment and the file say. Where these are
    wrong by now, they are what is shown: the next process will not start with them."""
    try:
        said = dict(type(settings)())
    except SettingsError:
        return {}
    return {name: value for name, value in dict(settings).items() if said[name] != value}
