"""What those find who come from outside: a workflow for their CI, forms for issues, hooks before a commit."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import yaml
from check_jsonschema import main
from click.testing import CliRunner
from packaging.specifiers import SpecifierSet

from house.imports import HOME

PROJECT = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]
WORKFLOW = ".github/workflows/ci.yml"


def jobs() -> dict[str, Any]:
    workflow: dict[str, Any] = yaml.safe_load((HOME / WORKFLOW).read_text())["jobs"]
    return workflow


@pytest.mark.parametrize(
    ("schema", "file"),
    [
        ("github-workflows", WORKFLOW),
        ("github-issue-config", ".github/ISSUE_TEMPLATE/config.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/bug.yml"),
        ("github-issue-forms", ".github/ISSUE_TEMPLATE/feature.yml"),
    ],
)
def test_it_is_as_its_schema_says(schema: str, file: str) -> None:
    done = CliRunner().invoke(main, ["--builtin-schema", f"vendor.{schema}", str(HOME / file)])
    assert done.exit_code == 0, done.output


def test_each_python_that_is_named_is_tested() -> None:
    named = [
        re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", line) for line in PROJECT["classifiers"]
    ]
    assert jobs()["tests"]["strategy"]["matrix"]["python"] == [found[1] for found in named if found]


def test_each_postgresql_and_both_kafkas_are_tested() -> None:
    matrix = jobs()["services"]["strategy"]["matrix"]
    assert matrix["postgres"] == ["14", "15", "16", "17", "18"]
    brokers = {*matrix["kafka"], *(line["kafka"] for line in matrix["include"])}
    assert {broker.rpartition(".")[0] for broker in brokers} == {"3.9", "4.2"}


def test_each_step_is_a_target_of_make_or_an_action_of_a_given_version() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (HOME / "Makefile").read_text(), re.MULTILINE))
    for step in (step for job in jobs().values() for step in job["steps"]):
        if "uses" in step:
            assert re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"])
        else:
            words = re.sub(r"ARGS=(['\"]).*\1", "", step["run"], flags=re.DOTALL).split()
            assert words[0] == "make"
            assert set(words[1:]) <= targets


def test_each_job_has_a_limit() -> None:
    assert all(job["timeout-minutes"] <= 60 for job in jobs().values())


def test_the_hooks_have_the_versions_that_the_project_has() -> None:
    hooks = yaml.safe_load((HOME / ".pre-commit-config.yaml").read_text())["repos"]
    versions = {repo["repo"].rpartition("/")[2]: repo.get("rev", "") for repo in hooks}
    wanted = dict(
        re.split("(?=>)", line, maxsplit=1)
        for line in PROJECT["optional-dependencies"]["test"]
        if ">" in line
    )
    assert versions["ruff-pre-commit"].removeprefix("v") in SpecifierSet(wanted["ruff"])
    assert versions["check-jsonschema"] in SpecifierSet(wanted["check-jsonschema"])


def test_the_hooks_of_our_own_name_files_that_are_there() -> None:
    hooks = yaml.safe_load((HOME / ".pre-commit-config.yaml").read_text())["repos"]
    entries = [hook["entry"] for repo in hooks if repo["repo"] == "local" for hook in repo["hooks"]]
    assert entries
    for entry in entries:
        assert all((HOME / word).exists() for word in entry.split() if word.startswith("tests/"))
