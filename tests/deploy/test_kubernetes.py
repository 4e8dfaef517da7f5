"""deploy/kubernetes is what the schemas of Kubernetes and of KEDA say, and what Oyez understands."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from oyez.consumers import Application, ListenSettings
from support.debian import unpacked
from visits.handlers import on

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KEDA = "github.com/kedacore/keda/v2@v2.17.2"
WORKERS = "page-viewed.yaml"

Manifest = dict[str, Any]


def manifests(text: str) -> list[Manifest]:
    return [one for one in yaml.safe_load_all(text) if one]


def written() -> Iterator[Manifest]:
    for file in sorted(FOLDER.glob("*.yaml")):
        yield from manifests(file.read_text())


def another_group() -> list[Manifest]:
    """What the command that stands in the file makes of it."""
    text = (FOLDER / WORKERS).read_text()
    (command,) = re.findall(r"^#   (sed .*) > \S+$", text, re.MULTILINE)
    made = subprocess.run(
        ["sh", "-c", command], cwd=FOLDER, capture_output=True, text=True, check=True
    ).stdout
    assert "page" not in made.split("apiVersion", 1)[1]
    return manifests(made)


@pytest.fixture(scope="session")
def keda() -> Manifest:
    """The schema of KEDA's ScaledObject, out of its Go module."""
    go = shutil.which("go") or str(unpacked("golang-go").file("usr/lib/go-*/bin/go"))
    env = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"}
    asked = [go, "mod", "download", "-json", KEDA]
    done = subprocess.run(asked, env=env, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    file = Path(json.loads(done.stdout)["Dir"], "config", "crd", "bases", "keda.sh_scaledobjects.yaml")
    (version,) = yaml.safe_load(file.read_text())["spec"]["versions"]
    return strict(version["schema"]["openAPIV3Schema"])


def strict(schema: Any) -> Any:
    """The schema, which takes no field that it does not name; of `metadata` it names none."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: strict(part) for name, part in schema.items()}
    return {**found, "additionalProperties": False} if isinstance(schema.get("properties"), dict) else found


def check(manifest: Manifest, keda: Manifest) -> None:
    if manifest["kind"] == "ScaledObject":
        jsonschema.validate(manifest, keda)
    else:
        kubernetes_validate.validate(manifest, kubernetes_validate.latest_version(), strict=True)


def test_no_pod_is_told_of_services() -> None:
    """A service called oyez-… would set variables that look like settings of Oyez."""
    pods = [one["spec"]["template"]["spec"] for one in written() if one["kind"] in {"Job", "Deployment"}]
    assert [pod["enableServiceLinks"] for pod in pods] == [False, False]


def test_each_is_what_its_schema_says(keda: Manifest) -> None:
    kinds = []
    for manifest in [*written(), *another_group()]:
        check(manifest, keda)
        kinds.append(manifest["kind"])
    assert set(kinds) == {"ConfigMap", "Job", "Deployment", "PodDisruptionBudget", "ScaledObject"}


@pytest.mark.parametrize("kind", ["Deployment", "Job", "PodDisruptionBudget", "ScaledObject"])
def test_a_field_that_is_misspelt_is_found(keda: Manifest, kind: str) -> None:
    (manifest,) = [one for one in written() if one["kind"] == kind]
    manifest["spec"]["replicaz"] = 2
    with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError), match="replicaz"):
        check(manifest, keda)


def test_groups_and_settings_are_those_of_the_application() -> None:
    groups = set(Application(on).groups)
    found = [*written(), *another_group()]
    deployed = {container_of(one)["args"][1] for one in found if one["kind"] == "Deployment"}
    assert deployed == groups
    (config,) = [one["data"] for one in found if one["kind"] == "ConfigMap"]
    said = {name.removeprefix("OYEZ_").lower(): value for name, value in config.items()}
    assert ListenSettings(**said).metrics == 9100


def test_the_job_prepares_all_that_the_deployment_needs() -> None:
    """What docker-compose.yml does, too: Oyez's tables, those of the application, and the topic."""
    compose = yaml.safe_load((FOLDER.parents[1] / "docker-compose.yml").read_text())
    migrate = compose["services"]["migrate"]
    (job,) = [one for one in written() if one["kind"] == "Job"]
    assert container_of(job)["command"] == [*migrate["entrypoint"], *migrate["command"]]


def test_what_belongs_together_is_named_alike() -> None:
    found = {one["kind"]: one for one in manifests((FOLDER / WORKERS).read_text())}
    deployment, scaled = found["Deployment"]["spec"], found["ScaledObject"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert scaled["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"]
    assert f'group="{labels["oyez/group"]}"' in scaled["triggers"][0]["metadata"]["query"]
    assert "replicas" not in deployment, "two would say how many"


def test_nobody_has_more_rights_than_needed() -> None:
    for one in written():
        if "template" not in one.get("spec", {}):
            continue
        pod = one["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert container_of(one)["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def container_of(manifest: Manifest) -> Manifest:
    (container,) = manifest["spec"]["template"]["spec"]["containers"]
    found: Manifest = container
    return found
