"""The manifests are what Kubernetes' own schemas ask for, and what they say of the server is true."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from runtime.settings import ServerSettings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUBERNETES = "1.33"


def manifest(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text("utf-8"))


RESOURCES: list[str] = manifest("kustomization.yaml")["resources"]


def pod() -> Any:
    return manifest("deployment.yaml")["spec"]["template"]["spec"]


@pytest.mark.parametrize("name", [*RESOURCES, "secrets.example.yaml"])
def test_a_manifest_is_valid_by_kubernetes_own_schema(name: str) -> None:
    if not os.environ.get("CI"):
        pytest.importorskip("kubernetes_validate", reason="needs the package kubernetes-validate")
    kubernetes_validate = importlib.import_module("kubernetes_validate")
    kubernetes_validate.validate(manifest(name), KUBERNETES, strict=True)


def test_every_manifest_is_part_of_the_kustomization_but_the_secrets() -> None:
    beside = {"kustomization.yaml", "secrets.example.yaml"}
    assert {path.name for path in FOLDER.iterdir()} - beside == set(RESOURCES)


def test_a_pod_gets_the_time_that_it_needs_to_drain() -> None:
    pre_stop_s = 5
    assert pod()["terminationGracePeriodSeconds"] >= pre_stop_s + ServerSettings().drain_timeout_s + 10


def test_an_outage_of_redis_restarts_no_pod() -> None:
    server = pod()["containers"][0]
    assert server["livenessProbe"]["httpGet"]["path"] == "/health/live"
    assert server["readinessProbe"]["httpGet"]["path"] == "/health/ready"


def test_every_selector_means_the_pods_of_the_deployment() -> None:
    labels = manifest("deployment.yaml")["spec"]["template"]["metadata"]["labels"]
    assert manifest("deployment.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert manifest("service.yaml")["spec"]["selector"] == labels
    assert manifest("disruption-budget.yaml")["spec"]["selector"]["matchLabels"] == labels
    assert manifest("network-policy.yaml")["spec"]["podSelector"]["matchLabels"] == labels


def test_the_pod_runs_as_the_user_of_the_container_file_and_never_as_root() -> None:
    assert f"USER {pod()['securityContext']['runAsUser']}\n" in (FOLDER.parent / "Containerfile").read_text("utf-8")
    assert pod()["securityContext"]["runAsNonRoot"] is True
