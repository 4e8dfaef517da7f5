"""What our containers may do: little. And what is in their image: nothing that they do not need."""

from __future__ import annotations

import json

import pytest

from compose.project import Project, docker, inspected

BUDGET = 75_000_000  # bytes above the base; Python's slim image has 125 MB, and together they stay under 200
OURS = ("listen", "sweep")


def inside(project: Project, service: str, command: str) -> str:
    return docker("exec", project.containers(service)[0], "sh", "-c", command)


@pytest.mark.parametrize("service", OURS)
def test_nothing_can_be_written_but_tmp(up: Project, service: str) -> None:
    for place in ("/", "/app", "/opt/oyez", "/var/tmp"):
        assert inside(up, service, f"touch {place}/x 2>/dev/null || echo refused") == "refused"
    assert inside(up, service, "touch /tmp/x && echo written") == "written"


@pytest.mark.parametrize("service", OURS)
def test_it_is_not_root_and_has_no_capability(up: Project, service: str) -> None:
    assert inside(up, service, "id -u") == "10001"
    status = inside(up, service, "cat /proc/self/status")
    found = dict(line.split(":", 1) for line in status.splitlines())
    for kind in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        assert int(found[kind], 16) == 0
    assert found["NoNewPrivs"].strip() == "1"


def test_nothing_that_it_needs_is_denied(up: Project) -> None:
    said = up.compose("logs", "--no-color", *OURS).lower()
    for complaint in ("permission denied", "read-only file system", "operation not permitted", "traceback"):
        assert complaint not in said


def test_the_image_is_small_and_has_no_compiler(up: Project) -> None:
    base = docker("inspect", "--format", "{{.Size}}", "python:3.13-slim-bookworm")
    whole = docker("inspect", "--format", "{{.Size}}", "oyez-visits")
    own = int(whole) - int(base)
    print(f"oyez-visits: {own / 1e6:.1f} MB above its base")
    assert own <= BUDGET
    found = "for name in cc gcc c++ make strip; do command -v $name; done; true"
    assert inside(up, "listen", found) == ""


def test_the_image_says_what_it_is_and_how_it_is(up: Project) -> None:
    labels = json.loads(docker("inspect", "--format", "{{json .Config.Labels}}", "oyez-visits"))
    for name in ("title", "description", "licenses", "version", "revision"):
        assert labels[f"org.opencontainers.image.{name}"]
    assert inside(up, "listen", "oyez --version").endswith(labels["org.opencontainers.image.version"])
    assert inspected("oyez-visits", "json .Config.Healthcheck") != "null"
