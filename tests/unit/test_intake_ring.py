"""The ring of keys: what it is written as, how a master key is replaced, who may keep it."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest

from services.intake.domain.person import WrappedKey
from services.intake.ring import Helper, KeyServiceFailed, MasterKeyWrong, Plain, Ring
from services.intake.vault import CannotOpen, Vault

ONE = base64.b64encode(bytes(range(32))).decode()
TWO = base64.b64encode(bytes(range(32, 64))).decode()
THREE = base64.b64encode(bytes(range(64, 96))).decode()

KEY_SERVICE = """
import base64, sys
what, line = sys.argv[-1], sys.stdin.readline().strip()
if sys.argv[1] == "locked":
    print(line)
    sys.exit(3)
turned = bytes(255 - byte for byte in base64.b64decode(line.removeprefix("hsm-")))
print(("hsm-" if what == "wrap" else "") + base64.b64encode(turned).decode())
"""


@pytest.fixture
def program(tmp_path: Path) -> str:
    """A program such as a force would put in front of its key service."""
    (tmp_path / "hsm.py").write_text(KEY_SERVICE)
    return f"{sys.executable} {tmp_path / 'hsm.py'}"


def test_a_ring_is_read_as_it_is_written() -> None:
    """On lines, or in one variable; the first key wraps."""
    ring = Ring.parse(f"{ONE}\n{TWO}\nroot:{THREE}")
    assert Ring.parse(f" {ONE},{TWO} root:{THREE} ") == ring == Ring.parse(ring.text())
    assert base64.b64encode(ring.master).decode() == ONE and len(ring.older) == 1
    assert Ring.parse(Ring.parse(ONE).text()) == Ring.parse(ONE)


@pytest.mark.parametrize(
    "text", ["", f"root:{ONE}", f"{ONE} {TWO}", f"{ONE} root:{TWO} root:{THREE}", f"{ONE} {ONE} root:{TWO}", f"{ONE} x"]
)
def test_what_is_no_ring_is_refused(text: str) -> None:
    """Nothing to wrap with, no root where there are several keys, a key twice, half a key; the fault repeats none."""
    with pytest.raises(MasterKeyWrong) as fault:
        Ring.parse(text)
    assert ONE not in str(fault.value)


def test_a_new_master_key_opens_what_the_one_before_wrapped() -> None:
    """Links, digests and drafts stay as they are; a data key wrapped anew opens the same things, and once the older key
    is put away it opens nothing that was wrapped since."""
    before = Ring(os.urandom(32))
    after = before.with_new_master()
    old, both, new = Vault(before), Vault(after), Vault(after.without_older())
    key, wrapped = old.new_data_key("one")
    sealed = key.seal("who she is", "here")
    assert both.data_key(wrapped, "one").open(sealed, "here") == "who she is"
    again = both.rewrapped(wrapped, "one")
    assert again.master == new.master_id == both.masters[0] != wrapped.master == both.masters[1]
    assert new.data_key(again, "one").open(sealed, "here") == "who she is"
    assert new.digest("email", "x") == old.digest("email", "x")
    assert new.open_text("link", old.seal_text("link", ["hers"])) == ["hers"]
    for vault, stored in ((new, wrapped), (old, again), (old, WrappedKey(old.master_id, again.wrapped))):
        with pytest.raises(CannotOpen):
            vault.data_key(stored, "one")


def test_the_root_does_not_tell_the_master_key_it_came_from() -> None:
    """A ring after rotation holds nothing that opens what the destroyed key had wrapped."""
    before = Ring(os.urandom(32))
    after = before.with_new_master().without_older()
    _, wrapped = Vault(before).new_data_key("one")
    for key in (after.master, after.root):
        with pytest.raises(CannotOpen):
            Vault(Ring(key)).data_key(WrappedKey(Vault(Ring(key)).master_id, wrapped.wrapped), "one")


def test_a_key_service_keeps_the_ring_wrapped(program: str) -> None:
    """What stands in the file is of no use without it; with it the keys are the same."""
    ring, service = Ring(os.urandom(32)).with_new_master(), Helper(program)
    text = ring.text(service)
    assert text.count("hsm-") == 3
    assert Ring.parse(text, service) == ring
    with pytest.raises(MasterKeyWrong):
        Ring.parse(text, Plain())


def test_a_key_service_that_does_not_answer_opens_nothing(program: str) -> None:
    """Locked, or not there: said without repeating what the program wrote."""
    with pytest.raises(KeyServiceFailed) as fault:
        Ring.parse(ONE, Helper(f"{program} locked"))
    assert ONE not in str(fault.value) and "3" in str(fault.value)
    with pytest.raises(KeyServiceFailed):
        Ring.parse(ONE, Helper("/nowhere/at-all"))


def test_the_ring_may_stand_in_a_file(tmp_path: Path) -> None:
    """As a container's secret does; one that is not there is said."""
    file = tmp_path / "ring"
    file.write_text(f"{ONE}\n")
    assert Ring.given(None, file, Plain()) == Ring.parse(ONE)
    with pytest.raises(MasterKeyWrong):
        Ring.given(None, tmp_path / "none", Plain())


def test_a_ring_never_shows_its_keys() -> None:
    """Not where somebody prints it."""
    ring = Ring.parse(ONE)
    assert repr(ring.master) not in repr(ring) and ONE not in repr(ring)
