"""The Helm chart: what it renders is valid, restricted, and what the program expects."""

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml  # type: ignore[import-untyped]
from tests.deploy.deployment import (
    DEPLOY,
    PROBES,
    accepted,
    loaded,
    needs,
    place_in,
    probed_paths,
    secret_files,
    settings_of,
)

from secure_export.store.postgresql.place import place_of

CHART = DEPLOY / "helm" / "secure-export"
VALUES = loaded(CHART / "values.yaml")
SCHEMA = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
CASES = sorted(path.name.removesuffix("-values.yaml") for path in (CHART / "ci").glob("*-values.yaml"))
ROLES = {"intake", "delivery", "console"}
_WRITTEN_WITHOUT_A_SCHEMA = {"ServiceMonitor"}


def merged(base: Any, over: Any) -> Any:
    """Put values over others, as Helm does."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    return {**base, **{key: merged(base.get(key), value) for key, value in over.items()}}


def values_of(case: str) -> Any:
    return merged(VALUES, loaded(CHART / "ci" / f"{case}-values.yaml"))


@cache
def rendered(case: str) -> tuple[dict[str, Any], ...]:
    """Render the chart with Helm's own library."""
    needs("helm_python", "helm-python-sdk")
    with import_module("helm_python").Chart.load(CHART) as chart:
        files = chart.render(loaded(CHART / "ci" / f"{case}-values.yaml"), name="alerts", namespace="operations")
    texts = [text for name, text in sorted(files.items()) if name.endswith(".yaml")]
    return tuple(document for text in texts for document in yaml.safe_load_all(text) if document)


def workloads(case: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the pods of each workload by the name of its component."""
    for document in rendered(case):
        if document["kind"] in {"Deployment", "Job"}:
            yield document["metadata"]["labels"]["app.kubernetes.io/component"], document["spec"]["template"]["spec"]


@pytest.mark.parametrize("case", CASES)
def test_values_fit_their_schema(case: str) -> None:
    """Defaults with what must be set are taken by the schema."""
    jsonschema.validate(values_of(case), SCHEMA)


@pytest.mark.parametrize(
    "wrong",
    [
        {"image": {"digest": "latest"}},
        {"database": {"poolSize": 1}},
        {"database": {"options": {"password": "x"}}},
        {"log": {"level": "verbose"}},
        {"replicas": 3},
        {"secrets": [{"name": "a/b", "existingSecret": "s", "key": "k"}]},
        {"terminationGracePeriodSeconds": 5},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, Any]) -> None:
    """A typing error, a password in the URL, or too little time to end is refused before anything is installed."""
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(merged(values_of("minimal"), wrong), SCHEMA)


def test_every_value_of_the_templates_is_in_the_values() -> None:
    """A template asks for no value that values.yaml does not list."""
    used = {
        name
        for path in (CHART / "templates").iterdir()
        for name in re.findall(r"\.Values\.([A-Za-z.]+)", path.read_text(encoding="utf-8"))
    }
    assert used
    for name in used:
        at: Any = VALUES
        for part in name.rstrip(".").split("."):
            assert part in at, name
            at = at[part]


def test_helm_lint_has_no_errors() -> None:
    """Helm's own linter takes the chart."""
    needs("helm_python", "helm-python-sdk")
    found = import_module("helm_python").lint(CHART)
    assert not found["errors"], found


@pytest.mark.parametrize("case", CASES)
def test_what_is_rendered_is_valid_for_kubernetes(case: str) -> None:
    """Every object is taken by the schemas of an older and a newer Kubernetes, with no unknown member."""
    documents = rendered(case)
    needs("kubernetes_validate", "kubernetes-validate")
    for document in documents:
        if document["kind"] not in _WRITTEN_WITHOUT_A_SCHEMA:
            for version in ("1.30", "1.34"):
                import_module("kubernetes_validate").validate(document, version, strict=True)


@pytest.mark.parametrize("case", CASES)
def test_the_program_takes_command_and_settings(case: str, tmp_path: Path) -> None:
    """Configuration and environment are read by the program; every secret that they name is mounted."""
    maps = {d["metadata"]["name"]: d["data"] for d in rendered(case) if d["kind"] == "ConfigMap"}
    seen = set()
    for component, pod in workloads(case):
        (container,) = pod["containers"]
        given = accepted(container["args"])
        volumes = {volume["name"]: volume for volume in pod["volumes"]}
        configuration = maps[volumes["configuration"]["configMap"]["name"]]["secure-export.toml"]
        environment = {one["name"]: one["value"] for one in container["env"]}
        settings = settings_of(configuration, environment, tmp_path)
        if "sslrootcert" not in settings.store.url:  # that file is in the pod only
            assert place_in(settings).hosts == ("postgres.example.com",)
        user = "secure_export_owner" if component == "migrate" else "secure_export"
        assert settings.store.url.startswith(f"postgresql://{user}@")
        folders = [mount["mountPath"] for mount in container["volumeMounts"]]
        for file in secret_files(settings):
            assert str(Path(file).parent) in folders, file
        assert given.get("role", ["migrate"]) == [component]
        seen.add(component)
    assert seen == ROLES | {"migrate"}


@pytest.mark.parametrize("case", CASES)
def test_pods_are_restricted(case: str) -> None:
    """Pods keep to the restricted profile of Kubernetes' Pod Security Standards, and write to their volumes only."""
    for _, pod in workloads(case):
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["readOnlyRootFilesystem"] is True
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("case", CASES)
def test_probes_and_passwords(case: str) -> None:
    """Alive is not asked of the store; ready is. Those that run the service never get the owner's password."""
    for component, pod in workloads(case):
        (container,) = pod["containers"]
        assert probed_paths(pod) <= PROBES
        keys = {item["key"] for v in pod["volumes"] if v["name"] == "database" for item in v["secret"]["items"]}
        assert keys == {"owner-password" if component == "migrate" else "runner-password"}
        if component != "migrate":
            assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
            assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
            pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            assert pod["terminationGracePeriodSeconds"] >= pause + 40


@pytest.mark.parametrize("case", CASES)
def test_network_and_disruption(case: str) -> None:
    """Only the port is let in; out go names, the database and HTTPS; each role keeps all but one of its pods."""
    (policy,) = [document for document in rendered(case) if document["kind"] == "NetworkPolicy"]
    assert [port["port"] for rule in policy["spec"]["ingress"] for port in rule["ports"]] == [8080]
    ports = {port["port"] for rule in policy["spec"]["egress"] for port in rule["ports"]}
    database = values_of(case)["database"]
    assert ports - {53, 443} == {database["port"], database["owner"]["port"] or database["port"]}
    budgets = [document for document in rendered(case) if document["kind"] == "PodDisruptionBudget"]
    labels = {one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/component"] for one in budgets}
    assert labels == ROLES


def test_the_migration_goes_past_a_pooler() -> None:
    """Migrations hold a lock for a session, which a pooler that hands out transactions would give to others."""
    urls = {
        component: next(one["value"] for one in pod["containers"][0]["env"] if one["name"].endswith("STORE__URL"))
        for component, pod in workloads("everything")
    }
    assert "port=5432" in urls["migrate"]
    assert "pooler" not in urls["migrate"]
    assert all("port=6432" in urls[role] and "pooler=transaction" in urls[role] for role in ROLES)


def test_several_hosts_have_the_same_port() -> None:
    """Of a primary and its standbys behind one port number, each is asked at that port."""
    needs("helm_python", "helm-python-sdk")
    values = merged(
        loaded(CHART / "ci" / "minimal-values.yaml"), {"database": {"host": "db-1.example,db-2.example", "port": 6000}}
    )
    with import_module("helm_python").Chart.load(CHART) as chart:
        files = chart.render(values, name="alerts", namespace="operations")
    urls = set(re.findall(r"postgresql://[^\s\"]+", "".join(files.values())))
    places = [place_of(url) for url in urls]
    assert len(places) == 2
    assert all(place.hosts == ("db-1.example", "db-2.example") and place.ports == (6000, 6000) for place in places)


def test_only_the_webhook_is_let_in_from_outside() -> None:
    """The ingress passes on nothing but alerts: console, API and metrics stay within."""
    (ingress,) = [document for document in rendered("everything") if document["kind"] == "Ingress"]
    (rule,) = ingress["spec"]["rules"]
    assert [path["path"] for path in rule["http"]["paths"]] == ["/v1/connections/"]


def test_what_must_be_set_is_asked_for() -> None:
    """Without image, database or configuration the chart says what is missing."""
    needs("helm_python", "helm-python-sdk")
    helm = import_module("helm_python")
    whole = loaded(CHART / "ci" / "minimal-values.yaml")
    for name, message in (
        ("image", "image.repository"),
        ("database", "database.host"),
        ("configuration", "configuration"),
    ):
        with helm.Chart.load(CHART) as chart, pytest.raises(helm.HelmError, match=f"{message} must be set"):
            chart.render({key: value for key, value in whole.items() if key != name}, name="alerts")
