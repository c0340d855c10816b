"""Rules and dashboards ask for metrics that the services have, by labels those metrics have."""

from __future__ import annotations

import importlib
import json
import re
from functools import cache
from typing import Any

import pytest
import yaml

from shared.contracts.catalogue import SERVICES
from tests.servers.compose import ROOT, compose, environment, settings_class

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARDS = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
SCRAPED_WITH = {"service", "instance", "job"}
OF_PROMETHEUS_ITSELF = {"up": SCRAPED_WITH}
_METRIC = re.compile(r"\b(up|walkandtalk_\w+)\b(?:\{([^}]*)\})?")
_SUFFIXES = {"histogram": ("_bucket", "_sum", "_count"), "counter": ("_total",), "gauge": ("",)}


def rules() -> list[dict[str, Any]]:
    """Every rule."""
    groups = yaml.safe_load((PROMETHEUS / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Every panel of every dashboard."""
    found = (json.loads(path.read_text(encoding="utf-8"))["panels"] for path in DASHBOARDS)
    return [panel for one in found for panel in one]


def expressions() -> list[tuple[str, str]]:
    """Name and PromQL of all that is asked."""
    asked = [(rule["alert"], rule["expr"]) for rule in rules()]
    return asked + [(panel["title"], target["expr"]) for panel in panels() for target in panel["targets"]]


@cache
def metrics() -> dict[str, set[str]]:
    """Label names by metric, from the registries of the four services, put together as compose runs them."""
    found = dict(OF_PROMETHEUS_ITSELF)
    for service in SERVICES:
        given: dict[str, object] = {
            name.removeprefix("WALKANDTALK_").lower(): value
            for name, value in environment(service).items()
            if name.startswith("WALKANDTALK_")
        }
        given |= {"forces_dir": ROOT / "deploy" / "forces", "data_dir": ROOT / ".walkandtalk" / "data"}
        app = importlib.import_module(f"services.{service}.app").build(settings_class(service).model_validate(given))
        seen: list[Any] = []
        # The registry is where the application keeps it for /metrics; the middleware adds its own when it is built.
        app.build_middleware_stack()
        for route in app.router.routes:
            if getattr(route, "path", "") == "/metrics":
                seen += [cell.cell_contents for cell in route.endpoint.__closure__]
        registry = next(one for one in seen if hasattr(one, "collect"))
        for collector in set(registry._collector_to_names):
            for suffix in _SUFFIXES[collector._type]:
                labels = {*collector._labelnames, *SCRAPED_WITH, *({"le"} if suffix == "_bucket" else ())}
                found[collector._name + suffix] = labels
    return found


@pytest.mark.parametrize(("name", "expression"), expressions(), ids=lambda text: str(text)[:40])
def test_what_is_asked_for_exists(name: str, expression: str) -> None:
    """A renamed metric would leave a panel empty, and an alert silent."""
    asked = _METRIC.findall(expression)
    assert asked, f"{name} asks for nothing of ours"
    for metric, selectors in asked:
        assert metric in metrics(), f"{name}: no service has {metric}"
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\"", selectors))
        assert labels <= metrics()[metric], f"{name}: {metric} has no {labels - metrics()[metric]}"
    grouped = {
        label.strip()
        for listed in re.findall(r"\bby \(([^)]*)\)", expression.partition("label_replace")[0])
        for label in listed.split(",")
    }
    known = set.union(*(metrics()[metric] for metric, _ in asked))
    assert grouped - known <= {"class"}


def test_every_service_is_asked_where_it_listens() -> None:
    """Under its name and port in the compose file."""
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text(encoding="utf-8"))["scrape_configs"]
    ours = next(job for job in scraped if job["job_name"] == "walkandtalk")["static_configs"]
    assert {one["labels"]["service"]: one["targets"] for one in ours} == {
        service: [f"{service}:{environment(service)['WALKANDTALK_PORT']}"] for service in SERVICES
    }


def test_every_alert_says_what_to_do() -> None:
    """Who is woken reads a sentence and a next step."""
    for rule in rules():
        assert rule["labels"]["severity"] in ("urgent", "soon"), rule["alert"]
        assert set(rule["annotations"]) == {"summary", "action"}, rule["alert"]
    assert len({rule["alert"] for rule in rules()}) == len(rules())


def test_dashboards_ask_the_prometheus_that_is_there() -> None:
    """The data source's uid is the provisioned one, and its address the part of the compose file."""
    file = ROOT / "deploy" / "grafana" / "provisioning" / "datasources" / "prometheus.yaml"
    source = yaml.safe_load(file.read_text(encoding="utf-8"))["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose()["services"]
    for panel in panels():
        assert panel["datasource"]["uid"] == source["uid"]
        assert all(target["datasource"]["uid"] == source["uid"] for target in panel["targets"])
    assert len({panel["id"] for panel in panels()}) == len(panels())
