"""What pytest loads: the fixtures of the test kit, under a name that stands at the top of the installed files.

It stands outside of `oyez` for a reason: pytest would take the packages in that namespace for packages at the top, and
a project's own `schemas` for one of them.
"""

from oyez.consumers.testing.plugin import (
    oyez,
    oyez_live,
    oyez_services,
    pytest_addoption,
    pytest_configure,
    pytest_runtest_makereport,
)

__all__ = [
    "oyez",
    "oyez_live",
    "oyez_services",
    "pytest_addoption",
    "pytest_configure",
    "pytest_runtest_makereport",
]
