"""The vault opens what it sealed, in its place, under its key, and nothing else."""

from __future__ import annotations

import base64
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.person import WrappedKey
from services.intake.ring import MasterKeyWrong, Ring
from services.intake.vault import CannotOpen, Vault

MASTER, OTHER = os.urandom(32), os.urandom(32)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(JSON)
def test_what_is_sealed_opens_again(content: object) -> None:
    """Under a participant's key and under a purpose's, whatever it holds."""
    vault = Vault(Ring(MASTER))
    key, wrapped = vault.new_data_key("one")
    assert vault.data_key(wrapped, "one").open(key.seal(content, "here"), "here") == content
    assert vault.open("draft", vault.seal("draft", content, "here", size=500), "here") == content
    assert vault.open_text("contact", vault.seal_text("contact", content)) == content


def test_nothing_opens_under_another_master_key() -> None:
    """A stolen database is of no use without the key."""
    _, wrapped = Vault(Ring(MASTER)).new_data_key("one")
    other = Vault(Ring(OTHER))
    with pytest.raises(CannotOpen):
        other.data_key(wrapped, "one")
    with pytest.raises(CannotOpen):
        other.data_key(WrappedKey(other.master_id, wrapped.wrapped), "one")
    with pytest.raises(CannotOpen):
        other.open("draft", Vault(Ring(MASTER)).seal("draft", "secret"))


def test_nothing_opens_in_another_place() -> None:
    """A sealed value copied to another woman's row, or used for another purpose, stays shut."""
    vault = Vault(Ring(MASTER))
    key, wrapped = vault.new_data_key("one")
    with pytest.raises(CannotOpen):
        vault.data_key(wrapped, "another")
    with pytest.raises(CannotOpen):
        key.open(key.seal("secret", "person one"), "person another")
    with pytest.raises(CannotOpen):
        vault.open("contact", vault.seal("draft", "secret"))


@given(st.integers(0, 40), st.integers(1, 255))
def test_nothing_altered_opens(at: int, by: int) -> None:
    """One bit is enough."""
    vault = Vault(Ring(MASTER))
    sealed = bytearray(vault.seal("draft", "a secret of some length"))
    sealed[at] ^= by
    with pytest.raises(CannotOpen):
        vault.open("draft", bytes(sealed))


@pytest.mark.parametrize("text", ["", "x", "####", "AAAA", "Ä", "a" * 400])
def test_text_that_was_never_sealed_does_not_open(text: str) -> None:
    """A made-up link is refused like an altered one."""
    with pytest.raises(CannotOpen):
        Vault(Ring(MASTER)).open_text("private link", text)


def test_digests_recognise_without_telling() -> None:
    """The same text gives the same digest, only under the same key and of the same kind."""
    vault = Vault(Ring(MASTER))
    assert vault.digest("email", "ada@example.com") == Vault(Ring(MASTER)).digest("email", "ada@example.com")
    assert len({vault.digest("email", "x"), vault.digest("phone", "x"), Vault(Ring(OTHER)).digest("email", "x")}) == 3


def test_answers_of_any_number_are_sealed_at_one_length() -> None:
    """The length of what waits does not tell how much she answered."""
    vault = Vault(Ring(MASTER))
    assert len({len(vault.seal("waiting", {"a": "x" * many}, size=1024)) for many in (0, 5, 500)}) == 1


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"x" * 31).decode(), "not base64 at all!"])
def test_a_master_key_of_the_wrong_size_is_refused(text: str) -> None:
    """A typing mistake must not become a weak key."""
    with pytest.raises(MasterKeyWrong):
        Vault.of(text)


def test_the_vault_never_shows_its_key() -> None:
    """Not where somebody prints it."""
    key, _ = Vault(Ring(MASTER)).new_data_key("one")
    assert MASTER.hex() not in repr(Vault(Ring(MASTER))) and repr(key.key) not in repr(key)
