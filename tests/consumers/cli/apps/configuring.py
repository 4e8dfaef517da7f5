"""The shop, with a configuration of logging of its own: CONFIGURATION, as JSON."""

import json
import logging.config
import os

from shop import on

logging.config.dictConfig(json.loads(os.environ["CONFIGURATION"]))

__all__ = ["on"]
