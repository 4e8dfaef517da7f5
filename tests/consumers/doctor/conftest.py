"""Shops to look at."""

from consumers.cli.conftest import shop, spooled_shop

__all__ = ["shop", "spooled_shop"]
