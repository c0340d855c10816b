"""Walking through every place of a scenario, and through the orders in which two processes can meet."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial

from shared.database import TRANSIENT
from tests.model.house import House, Service
from tests.model.invariants import Broken
from tests.model.process import Fault
from tests.model.scenarios import Act, Encounter, Scenario


@dataclass
class Tally:
    """What was explored."""

    places: int = 0
    runs: int = 0
    broken: list[str] = field(default_factory=list)


async def _once(house: House, scenario: Scenario, fault: tuple[int, Fault] | None) -> list[str]:
    """The scenario from a fresh state with at most one fault, recovery, and mending; every invariant on the way."""
    await house.fresh()
    await scenario.prepare(house)
    service = await house.service()
    assert service.process is not None
    service.process.fault = fault

    async def act() -> None:
        await scenario.act(service)

    try:
        await service.process.run(act)
    except Exception as told:
        # A web command that was cut off tells whoever asked; on the bus side it would be a fault of ours.
        if fault is None or fault[1] is not Fault.CUT:
            raise Broken(f"nothing befell it, but {told!r}") from told
    await service.gone()
    await house.check()
    await house.recover()
    await house.heal()
    return service.process.places


def told_apart(places: list[str]) -> list[int]:
    """The places at which a crash can leave another state: one between two trips, not two of them."""
    return [
        n
        for n, name in enumerate(places, 1)
        if n == 1 or not (name.startswith("before") and places[n - 2].startswith("after"))
    ]


async def every_place(
    house: House, scenario: Scenario, fault: Fault, *, one_in: int = 1, begin: int = 0, first_only: bool = False
) -> Tally:
    """The fault at every place of the scenario that can be told apart, a run each.

    :param one_in: take one in so many of these places, from the one numbered `begin`.
    :param first_only: stop at the first run that breaks an invariant.
    """
    tally = Tally()
    try:
        places = await _once(house, scenario, None)
    except Broken as broken:
        tally.broken.append(f"nothing befalls it: {broken}")
        return tally
    tally.places = len(places)
    for n in told_apart(places)[begin::one_in]:
        try:
            await _once(house, scenario, (n, fault))
        except Broken as broken:
            tally.broken.append(f"{fault.value} at {n} ({places[n - 1]}): {broken}")
            if first_only:
                break
        tally.runs += 1
    return tally


async def every_meeting(house: House, encounter: Encounter, *, one_in: int = 1, first_only: bool = False) -> Tally:
    """One stops at each of its places, the other goes as far as locks let it; then the first goes on, or dies."""
    tally = Tally()
    for dies in (False, True):
        n = 0
        while True:
            try:
                there = await _meet(house, encounter, n, dies)
            except Broken as broken:
                then = "dies" if dies else "goes on"
                tally.broken.append(f"the first stops after {n} places and {then}: {broken}")
                if first_only:
                    return tally
                there = n < tally.places
            tally.runs += 1
            tally.places = max(tally.places, n)
            if not there:
                break
            n += one_in
    return tally


async def _meet(house: House, encounter: Encounter, stops: int, dies: bool) -> bool:
    """One order of two processes; whether the first had not finished when it was stopped."""
    await house.fresh()
    await encounter.prepare(house)
    first, second = await house.service("first"), await house.service("second")
    working = []
    for service, act, allowed in ((first, encounter.first, stops), (second, encounter.second, None)):
        assert service.process is not None
        service.process.allow(allowed)
        working.append(service.process.start(partial(_act, act, service)))
        await house.until_still(service)
    there = not working[0].done()
    if dies:
        await first.gone()
    elif first.process:
        first.process.allow(None)
    for _ in range(100):
        if all([await house.until_still(service) for service in (first, second)]):
            break
    else:
        raise Broken("the two wait for each other")
    for one in working:
        told = None if one.cancelled() else one.exception()
        if told is not None and not (dies and one is working[0]) and not isinstance(told, TRANSIENT):
            raise Broken(f"nothing befell it, but {told!r}") from told
    await house.bury()
    await house.check()
    await house.recover()
    return there


async def _act(act: Act, service: Service) -> None:
    await act(service)
