"""docker-compose.yml and the Dockerfile, as far as they can be checked without a Docker engine."""

import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

HOME = Path(__file__).parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((HOME / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
STAYING = sorted(SERVICES.keys() - {"migrate"})
OURS = ("migrate", "listen", "sweep")


def test_it_is_what_the_compose_specification_says() -> None:
    schema = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*schema, str(HOME / "docker-compose.yml")], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_this_machines_alone(name: str) -> None:
    assert [port for port in SERVICES[name].get("ports", []) if not port.startswith("127.0.0.1:")] == []


@pytest.mark.parametrize("name", STAYING)
def test_what_stays_up_says_how_it_is(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", STAYING)
def test_engines_that_debian_has_take_it(name: str) -> None:
    """Before version 25 they refuse a `start_interval`."""
    assert "start_interval" not in SERVICES[name]["healthcheck"]


@pytest.mark.parametrize("name", ["kafka", "postgres"])
def test_images_are_pinned(name: str) -> None:
    tag = SERVICES[name]["image"].rstrip("}").split(":")[-1]
    assert tag[0].isdigit()
    assert "." in tag


def test_workers_wait_for_the_migrations_and_can_be_many() -> None:
    for name in ("listen", "sweep"):
        assert SERVICES[name]["depends_on"] == {
            "kafka": {"condition": "service_healthy"},
            "migrate": {"condition": "service_completed_successfully"},
        }
    # A name or a port of its own would keep a second one from starting.
    assert not SERVICES["listen"].keys() & {"container_name", "ports"}


def test_the_base_is_the_one_that_the_dockerfile_names() -> None:
    named = next(line for line in instructions() if line.startswith("ARG PYTHON_IMAGE=")).split("=")[1]
    assert SERVICES["migrate"]["build"]["args"]["PYTHON_IMAGE"] == f"${{PYTHON_IMAGE:-{named}}}"


def test_the_migration_is_not_tried_for_ever() -> None:
    """`up --wait` would wait as long."""
    assert SERVICES["migrate"]["restart"].split(":")[0] == "on-failure"
    assert int(SERVICES["migrate"]["restart"].split(":")[1]) < 10


def test_the_password_comes_from_the_environment() -> None:
    wanted = "${POSTGRES_PASSWORD:?"
    assert SERVICES["postgres"]["environment"]["POSTGRES_PASSWORD"].startswith(wanted)
    for name in OURS:
        assert f"://oyez:{wanted}" in SERVICES[name]["environment"]["OYEZ_DATABASE"]


def test_nothing_of_ours_has_more_rights_than_it_needs() -> None:
    for name in OURS:
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["read_only"]
    users = [line.split()[1] for line in instructions() if line.startswith("USER")]
    assert users[-1] not in {"root", "0"}


def instructions() -> list[str]:
    lines = (HOME / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def copied(line: str, source: Path, place: Path) -> None:
    *sources, target = line.split()[1:]
    for name in sources:
        found = source / name
        goal = place / target / found.name if target.endswith("/") else place / target
        goal.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(found, goal, dirs_exist_ok=True) if found.is_dir() else shutil.copy(found, goal)


def run(command: str, place: Path, programs: Path) -> str:
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
    done = subprocess.run(
        command,
        shell=True,
        cwd=place,
        env=environment,
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.timeout(900)
def test_the_images_steps_work_by_hand(tmp_path: Path) -> None:
    """Each COPY and RUN of the stage that builds, in folders of ours and with a fresh Python."""
    venv.create(tmp_path / "image", with_pip=True, symlinks=True)
    programs = tmp_path / "image" / "bin"
    for name in ("opt", "src", "app", "tmp"):
        (tmp_path / name).mkdir()

    def moved(text: str) -> str:
        here = re.sub(r"/(opt/oyez|src|app|tmp)\b", lambda found: f"{tmp_path}/{found[1]}", text)
        return here.replace("strip --strip-unneeded", "ls")  # not every machine has it

    for line in stage("build"):
        if line.startswith("COPY"):
            copied(moved(line), HOME, tmp_path / "src")
        elif line.startswith("RUN") and "apt-get" not in line:
            run(moved(line.removeprefix("RUN")), tmp_path / "src", programs)
    oyez = tmp_path / "opt" / "oyez" / "bin"
    app = tmp_path / "app"
    assert "listen" in run(f"{oyez}/oyez --help", app, programs)
    handlers = "from visits.handlers import on; assert list(on)"
    run(f"env PYTHONPATH=. {oyez}/python -c '{handlers}'", app, programs)


def stage(name: str) -> list[str]:
    """The instructions of one stage."""
    lines = instructions()
    begin = next(
        n for n, line in enumerate(lines) if line.startswith("FROM") and line.endswith(f" AS {name}")
    )
    rest = lines[begin + 1 :]
    end = next((n for n, line in enumerate(rest) if line.startswith("FROM")), len(rest))
    return rest[:end]
