"""What was disclosed reaches no event, no count, no call, no export: the code has no way there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from services.assignment.domain import disclosures
from shared.contracts.catalogue import EVENTS, SERVICES
from shared.database import Queries
from shared.web.access import ASSIGNMENT, UNTOLD
from tests.architecture.test_queries import files_of
from tests.servers.all_services import app_of, routes_of

ROOT = Path(__file__).resolve().parents[2]
ASSIGNMENT_CODE = ROOT / "services" / "assignment"
TABLE = re.compile(r"\bdisclosure\b")

MAY_READ = {
    "disclosures.py": None,
    "record.py": {"stands_of_walks"},
    "noting.py": {"stands_of_walks"},
    "erasure.py": {"unlink"},
    "looking.py": {"overdue"},
}
"""Handlers that use the store of disclosures, and which of its functions: the gate knows how far one is and no more,
erasure cuts it off its walk, the metrics have the one figure. None: all of them."""


def test_no_contract_has_a_word_for_it() -> None:
    """Neither an event nor a field of one, nor what documents say to partners and other systems."""
    told = {event.__name__ for event in EVENTS} | {name for event in EVENTS for name in event.model_fields}
    assert not [name for name in told if "disclos" in name.lower() or "safeguard" in name.lower()]
    for folder in ("schemas", "asyncapi"):
        for path in (ROOT / "deploy" / folder).glob("*.json"):
            assert "disclos" not in path.read_text(encoding="utf-8").lower(), path.name


def test_its_table_is_read_by_its_own_statements_alone() -> None:
    """In one file of one service. Of them one counts, for the one gauge there is; none is asked by the report of what
    is past its time."""
    for service in SERVICES:
        for file in files_of(service):
            statements = Queries.read(file)
            asked = {name for name, query in statements.items() if TABLE.search(query.sql)}
            if (service, file.name) != ("assignment", "disclosures.sql"):
                assert asked == set(), (service, file.name)
                continue
            assert asked == set(statements)
            counting = {name for name in asked if re.search(r"\b(count|sum|avg)\(", statements[name].sql)}
            assert counting == {"disclosures_overdue"}
            assert not [name for name in asked if name.startswith("retention_")]


def test_other_handlers_use_no_more_of_it_than_they_need() -> None:
    """The counts of pages and metrics, the export of a walk by API and everything that publishes do without."""
    used: dict[str, set[str]] = {}
    for path in ASSIGNMENT_CODE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module == "services.assignment.store.disclosures":
                used.setdefault(path.name, set()).update(alias.name for alias in node.names)
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "disclosure_rows":
                used.setdefault(path.name, set()).add(node.attr)
    assert used.keys() == MAY_READ.keys()
    for name, allowed in MAY_READ.items():
        assert allowed is None or used[name] == allowed, name


def test_what_handles_it_publishes_nothing_and_no_call_gives_it() -> None:
    """Its handlers know neither outbox nor contracts of events; the JSON API knows neither them nor their values."""
    handler = (ASSIGNMENT_CODE / "handlers" / "disclosures.py").read_text(encoding="utf-8")
    assert "outbox" not in handler and not re.search(r"shared\.contracts\.(walks|concerns)", handler)
    for path in (ASSIGNMENT_CODE / "routes").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert "disclosures" not in text or path.name == "refusals.py", path.name
    calls = [route.path for _, route in routes_of(app_of("assignment")) if route.path.startswith("/api/")]
    assert calls and not [path for path in calls if "disclos" in path]


def test_every_page_of_it_is_counted_and_logged_as_a_look_at_a_walk() -> None:
    """A new page of it is added there; what it is told as is a page everybody uses."""
    pages = {path for _, path in ASSIGNMENT if "disclos" in path}
    assert set(UNTOLD) == pages
    assert {("GET", told) for told in UNTOLD.values()} <= set(ASSIGNMENT)


def test_one_gauge_names_it() -> None:
    """How many are past their time, by force; no kind, no walk, no team, nobody."""
    metrics = (ASSIGNMENT_CODE / "metrics.py").read_text(encoding="utf-8")
    assert re.findall(r'"(walkandtalk_\w*disclos\w*)"', metrics) == ["walkandtalk_disclosures_overdue"]
    assert re.search(r'disclosures_overdue",\s+"[^"]+",\s+\("force",\)', metrics)


def test_lists_of_the_code_are_lists_of_the_table() -> None:
    """What may be chosen stands in the domain and, as the last door, in the table."""
    schema = (ASSIGNMENT_CODE / "schema" / "20261125060000_disclosures.sql").read_text(encoding="utf-8")
    for column, values in (("safeguarding", disclosures.Safeguarding), ("signposted", disclosures.Signpost)):
        listed = re.search(rf"{column} <@ '{{([^}}]+)}}'", schema)
        assert listed is not None and set(listed[1].split(",")) == {one.value for one in values}
    for column, several in (("kind", disclosures.DisclosureKind), ("withdrawn_because", disclosures.Mistake)):
        listed = re.search(rf"{column} text CHECK \({column} IN \(([^)]+)\)\)", schema)
        assert listed is not None and set(re.findall(r"'([\w-]+)'", listed[1])) == {one.value for one in several}
