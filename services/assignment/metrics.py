"""What assignment counts: gauges of what stands in its database, never of who."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Gauge

from services.assignment.domain.passing import ESCALATED
from services.assignment.domain.walks import State

_FOLLOW_UPS: Final = ("open", "overdue")
_STATES: Final = (State.TRIAGE, State.ROUTED, State.TAKEN, State.ARRANGED)
"""Walks that are not over: counting the others every few seconds would cost more every year."""


class Metrics:
    """Walks that are not over by state, late and escalated, follow-ups open and overdue; by force."""

    def __init__(self, registry: CollectorRegistry, forces: Sequence[str]) -> None:
        self._forces = tuple(forces)
        self._walks = Gauge(
            "walkandtalk_walks", "Walks that are not over, by state.", ("force", "state"), registry=registry
        )
        self._late = Gauge(
            "walkandtalk_walks_late",
            "Walks not arranged by the day the force has set.",
            ("force",),
            registry=registry,
        )
        self._escalated = Gauge(
            "walkandtalk_walks_escalated",
            "Walks that wait for a coordinator: asked by an officer, or not taken in time.",
            ("force", "what"),
            registry=registry,
        )
        self._disclosures_overdue = Gauge(
            "walkandtalk_disclosures_overdue",
            "Records that a walk waits for and that are past their time. The only figure there is of them.",
            ("force",),
            registry=registry,
        )
        self._not_back = Gauge(
            "walkandtalk_officers_not_back",
            "Walks that were to be over and of which nobody has said that the officers are back.",
            ("force",),
            registry=registry,
        )
        self._follow_ups = Gauge(
            "walkandtalk_follow_ups", "Follow-ups open, and of those overdue.", ("force", "which"), registry=registry
        )

    def show(self, counted: Mapping[str, Sequence[tuple[str, str, int]]]) -> None:
        """Take over what store.counts() found; what it does not name is nought."""
        walks = {(force, state): many for force, state, many in counted["walks"]}
        late = {force: many for force, _, many in counted["late"]}
        not_back = {force: many for force, _, many in counted["not_back"]}
        overdue = {force: many for force, _, many in counted["disclosures_overdue"]}
        escalated = {(force, what): many for force, what, many in counted["escalated"]}
        waiting = {(force, which): many for force, which, many in counted["follow_ups"]}
        for force in self._forces:
            for state in _STATES:
                self._walks.labels(force, state.value).set(walks.get((force, state.value), 0))
            self._late.labels(force).set(late.get(force, 0))
            self._not_back.labels(force).set(not_back.get(force, 0))
            self._disclosures_overdue.labels(force).set(overdue.get(force, 0))
            for what in sorted(ESCALATED):
                self._escalated.labels(force, what.value).set(escalated.get((force, what), 0))
            for which in _FOLLOW_UPS:
                self._follow_ups.labels(force, which).set(waiting.get((force, which), 0))
