"""Where a record goes is what every Kafka client would say."""

from __future__ import annotations

from uuid import UUID

from aiokafka.partitioner import murmur2
from hypothesis import given
from hypothesis import strategies as st

from shared.bus.publishers import partition_hash


@given(st.uuids())
def test_a_key_goes_to_the_partition_that_kafkas_own_partitioner_gives_it(key: UUID) -> None:
    """Our murmur2 is aiokafka's, which is the Java client's: a stranger's producer sends the key to the same place."""
    assert partition_hash(key) == murmur2(str(key).encode()) & 0x7FFFFFFF
