"""Every invariant holds of a sound state, and names what is wrong with a broken one."""

from __future__ import annotations

import pytest

from tests.faults.invariants import INVARIANTS, judge
from tests.faults.sound import BREAKS, sound


def test_a_sound_state_breaks_nothing() -> None:
    """Every invariant looks at something of a small sound state, and finds nothing wrong."""
    verdicts = judge(sound())
    assert {name: verdict.breaches for name, verdict in verdicts.items() if verdict.breaches} == {}
    assert all(verdict.looked_at for verdict in verdicts.values())


def test_every_invariant_is_broken_below() -> None:
    """No invariant is on the list that nothing here can break."""
    assert set(BREAKS) == {invariant.__name__ for invariant in INVARIANTS}
    assert all((invariant.__doc__ or "").strip() for invariant in INVARIANTS)


@pytest.mark.parametrize(("name", "how"), [(name, how) for name, breaks in BREAKS.items() for how in breaks])
def test_a_broken_state_is_named(name: str, how: str) -> None:
    """Broken by hand in one place, the state is found wanting by the invariant that is about it."""
    found = sound()
    BREAKS[name][how](found)
    assert judge(found)[name].breaches
