"""Why a walk goes where it goes, and which teams are near: no server, no clock."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from services.assignment.domain.areas import Area, Located
from services.assignment.domain.contact import amend, change_contact
from services.assignment.domain.requests import request_of
from services.assignment.domain.routing import NearbyTeam, is_routed_anew, nearby_teams, route, route_by_hand, why
from services.assignment.domain.walks import State, TriageReason, Walk
from services.assignment.registers import Registers
from shared.contracts.kinds import Channel, PartOfDay, Point, Weekday
from shared.contracts.policy import WalkRules
from shared.contracts.walk_requests import Availability, ContactRules, WalkRequestAmended, WalkRequested
from shared.contracts.walks import RoutedBy
from shared.policies import PolicyFault

FORCE = "avon-and-somerset"
MONDAY = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
HERE, THERE = Point(latitude=51.4545, longitude=-2.5879), Point(latitude=51.4600, longitude=-2.5800)
FORCES = Path(__file__).resolve().parents[2] / "deploy" / "forces"
REGISTERS = Registers(FORCES, [FORCE])
ANY_EVENING = Availability(days=tuple(Weekday), parts=(PartOfDay.EVENING,))
IN_BS1 = Located("bs1", "bs1", "v1", RoutedBy.COVERS, others=("bs2",), share=0.7)


def asked(way: tuple[Point, ...], excluded_teams: tuple[str, ...]) -> WalkRequested:
    return WalkRequested(
        request_id=uuid4(),
        place=way[0] if way else HERE,
        place_from_postcode=False,
        route=way,
        availability=ANY_EVENING,
        contact=ContactRules(channels=(Channel.EMAIL,), excluded_teams=excluded_teams),
    )


def a_walk(
    located: Located | None = IN_BS1, *, way: tuple[Point, ...] = (), excluded_teams: tuple[str, ...] = ()
) -> Walk:
    return route(FORCE, uuid4(), request_of(asked(way, excluded_teams), MONDAY), located, WalkRules()).walk


def amended(walk: Walk, place: Point, way: tuple[Point, ...] = ()) -> WalkRequestAmended:
    [request] = walk.requests
    return WalkRequestAmended(
        request_id=request.id, place=place, place_from_postcode=False, route=way, availability=ANY_EVENING
    )


def test_a_routing_says_where_why_from_where_and_what_else_it_could_have_been() -> None:
    """With the version of the boundaries, the share of her way and how many places it had."""
    walk = a_walk(way=(HERE, THERE))
    told = why(walk, MONDAY)
    assert (told.walk_id, told.at, told.place, told.places, told.by) == (walk.id, MONDAY, HERE, 2, None)
    assert told.located == IN_BS1
    assert told.triage_reason is None


@pytest.mark.parametrize(
    ("located", "excluded", "reason"),
    [(None, (), TriageReason.OUTSIDE_ALL_AREAS), (IN_BS1, ("bs1",), TriageReason.CONTACT_RULES)],
)
def test_a_routing_to_nobody_says_why_not(
    located: Located | None, excluded: tuple[str, ...], reason: TriageReason
) -> None:
    """Never an area as well: the team she excludes is not written beside her walk."""
    told = why(a_walk(located, excluded_teams=excluded), MONDAY)
    assert (told.located, told.triage_reason) == (None, reason)


def test_a_walk_sent_back_for_her_rules_is_told_without_the_area_it_left() -> None:
    """Though the walk still knows its area, for its page."""
    walk = a_walk()
    back = change_contact(walk, {walk.requests[0].id: ContactRules(channels=(Channel.EMAIL,), excluded_teams=("bs1",))})
    told = why(back, MONDAY)
    assert (back.located, told.located, told.triage_reason) == (IN_BS1, None, TriageReason.CONTACT_RULES)


def test_a_coordinators_choice_names_who_chose() -> None:
    """How is: by a person."""
    area = Area(FORCE, "bs3", "BS3", "bs3", "BS3 team", "v1")
    told = why(route_by_hand(a_walk(None), area).walk, MONDAY, "coordinator-avon")
    assert told.located is not None
    assert (told.located.area_id, told.located.how, told.by) == ("bs3", RoutedBy.COORDINATOR, "coordinator-avon")


def test_another_way_from_the_same_place_is_routed_anew() -> None:
    """Most of it may lie elsewhere now; the same way and place leave the walk as it is."""
    walk = a_walk(way=(HERE, THERE))
    other = Located("bs2", "bs2", "v1", RoutedBy.COVERS, share=0.6)
    same = amend(walk, amended(walk, HERE, (HERE, THERE)), other, MONDAY)
    assert (same.walk.located, same.events, is_routed_anew(walk, same.walk)) == (IN_BS1, (), False)
    changed = amend(walk, amended(walk, HERE, (HERE, THERE, Point(latitude=51.47, longitude=-2.58))), other, MONDAY)
    assert (changed.walk.located, len(changed.events), is_routed_anew(walk, changed.walk)) == (other, 1, True)


@pytest.mark.parametrize("state", [State.ARRANGED, State.COMPLETED, State.CANCELLED])
def test_a_walk_that_is_arranged_or_over_is_not_routed_anew(state: State) -> None:
    """She keeps her walk; the officer reads what she changed."""
    walk = replace(a_walk(), state=state)
    assert not is_routed_anew(walk, amend(walk, amended(walk, THERE), None, MONDAY).walk)


NEAR = (NearbyTeam("bs1", 0.0), NearbyTeam("bs2", 300.0), NearbyTeam("bs3", 900.0))


@pytest.mark.parametrize(("within", "teams"), [(0, []), (299, []), (300, ["bs2"]), (1_000, ["bs2", "bs3"])])
def test_nearby_teams_are_those_the_policy_allows(within: int, teams: list[str]) -> None:
    """None unless it names a distance; never the walk's own."""
    found = nearby_teams(a_walk(), NEAR, WalkRules(nearby_teams_within_m=within))
    assert [team.team_id for team in found] == teams


def test_a_team_she_excludes_is_not_near() -> None:
    """Whoever else is stays."""
    walk = a_walk(excluded_teams=("bs2",))
    found = nearby_teams(walk, NEAR, WalkRules(nearby_teams_within_m=1_000))
    assert [team.team_id for team in found] == ["bs3"]


def test_a_walk_without_a_team_has_nearby_teams_too() -> None:
    """In triage all that are near may be chosen from."""
    found = nearby_teams(a_walk(None), NEAR, WalkRules(nearby_teams_within_m=1_000))
    assert [team.team_id for team in found] == ["bs1", "bs2", "bs3"]


def test_the_registers_know_which_teams_are_near_a_place_and_a_way() -> None:
    """In the middle of Bristol: its own team first, at no distance; each once; nobody of a force without areas."""
    near = REGISTERS.near(FORCE, [HERE], 1_500)
    assert near[0] == NearbyTeam("bs1", 0.0)
    assert [team.distance_m for team in near] == sorted(team.distance_m for team in near)
    assert len({team.team_id for team in near}) == len(near) > 2
    assert {team.team_id for team in REGISTERS.near(FORCE, [HERE, THERE], 1)} >= {"bs1", "bs2"}
    assert REGISTERS.near("northvale", [HERE], 1_500) == ()
    assert REGISTERS.near(FORCE, [Point(latitude=49.2, longitude=-8)], 1_500) == ()


def test_a_way_is_located_where_most_of_it_lies() -> None:
    """Not where it begins; and a way with a point off the map by the points that are on it."""
    east = Point(latitude=51.4600, longitude=-2.5500)
    [by_place, by_way] = REGISTERS.locate(FORCE, [(HERE,), (HERE, east)])
    assert by_place is not None and by_way is not None
    assert (by_place.area_id, by_place.share) == ("bs1", None)
    assert by_way.area_id != "bs1" and "bs1" in by_way.others
    assert by_way.share is not None and 0.4 < by_way.share < 1
    far = Point(latitude=49.2, longitude=-8)
    assert REGISTERS.locate(FORCE, [(HERE, far), (far, far)])[1] is None


@pytest.mark.parametrize(
    ("field", "value"), [("area_id", "BS 1"), ("team_id", "x" * 80), ("name", "n" * 201), ("team_name", "n" * 201)]
)
def test_areas_that_no_event_could_carry_are_refused_at_start(tmp_path: Path, field: str, value: str) -> None:
    """By file, feature and field, before a request is routed by them."""
    ring = [[-2.6, 51.45], [-2.59, 51.45], [-2.59, 51.46], [-2.6, 51.45]]
    properties = {"area_id": "a", "name": "A", "team_id": "a", "team_name": "A", "boundary_version": "1", field: value}
    feature = {"properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}
    (tmp_path / "north").mkdir()
    file = tmp_path / "north" / "areas.geojson"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    with pytest.raises(
        PolicyFault, match=rf"areas\.geojson: Feature 1 \(.*\): {'area_name' if field == 'name' else field}"
    ) as told:
        Registers(tmp_path, ["north"])
    assert str(file) in str(told.value)
