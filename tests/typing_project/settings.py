"""Settings that are made without a word: each has a default, or is found elsewhere."""

from typing import assert_type

from oyez.consumers import ListenSettings
from oyez.producers import Settings

assert_type(ListenSettings().database, str)
assert_type(ListenSettings(batch=50).batch, int)
assert_type(Settings().kafka, str)
ListenSettings(topic=3)  # type: ignore[arg-type]  # a topic is text
ListenSettings(topics="shop")  # type: ignore[call-arg]  # there is no such setting
