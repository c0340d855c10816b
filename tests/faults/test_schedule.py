"""A seed decides the whole schedule."""

from __future__ import annotations

from collections import Counter

from tests.faults.schedule import KILLS_AND_CUTS, OF_BROKERS, OTHERS, Kind, counted, schedule


def test_the_same_seed_is_the_same_schedule() -> None:
    """A seed that failed replays; another seed is another schedule."""
    assert schedule(7, 50) == schedule(7, 50)
    assert schedule(7, 50) != schedule(8, 50)


def test_a_schedule_has_as_many_kills_and_cuts_as_asked() -> None:
    """Kills and cuts are counted; the rest is mixed in beside them."""
    for many in (1, 6, 20, 200):
        assert counted(schedule(3, many)) == many


def test_twenty_kills_and_cuts_meet_every_kind() -> None:
    """The run of the suite leaves no kind out, whatever its seed."""
    for seed in range(20):
        kinds = {fault.kind for step in schedule(seed, 20) for fault in step.faults}
        assert kinds == {*KILLS_AND_CUTS, *OTHERS}


def test_what_a_machine_cannot_do_is_left_out() -> None:
    """Kinds that are lacking never come."""
    lacking = frozenset({Kind.FILL_DISK, Kind.STEP_CLOCK})
    assert not lacking & {fault.kind for step in schedule(1, 200, lacking) for fault in step.faults}


def test_never_two_brokers_at_a_time() -> None:
    """Two of three copies have to stay; two faults of one step have different targets."""
    for step in schedule(1, 500):
        kinds = Counter(fault.kind in OF_BROKERS for fault in step.faults)
        assert kinds[True] <= 1
        assert len({fault.target for fault in step.faults}) == len(step.faults)
