"""The topics of the bus and who may do what on them, read from deploy/topics.yaml."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import yaml
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contracts.catalogue import SERVICES
from shared.contracts.policy import ForcePolicy
from shared.observability import log

_PARTNER: Final = "{partner}"
_ALREADY_THERE: Final = 36
_AS_MANY_ALREADY: Final = 37
_DAY_MS: Final = 86_400_000

Operation = Literal["Read", "Write"]
Resource = Literal["Topic", "Group"]


class TopicsFault(Exception):
    """The topics file is missing or wrong. The message names the file, the field and what is wrong with it."""


class TopicsRefused(Exception):
    """The broker refused to create or change topics. The message names them."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class _Defaults(_Part):
    partitions: Annotated[int, Field(ge=1)]
    replication: Annotated[int, Field(ge=1)]
    min_insync_replicas: Annotated[int, Field(ge=1)]


class _Principal(_Part):
    name: str
    group: str
    group_is_prefix: bool = False


class Topic(_Part):
    """One topic, or with `{partner}` in its name one a partner."""

    writer: str
    readers: tuple[str, ...]
    retention_days: Annotated[int, Field(ge=1)]


class _File(_Part):
    defaults: _Defaults
    principals: dict[str, _Principal]
    topics: dict[str, Topic]


@dataclass(frozen=True, slots=True)
class NewTopicSpec:
    """A topic to be created."""

    name: str
    partitions: int
    replication: int
    config: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """Where the broker is not as the file says: what it has (None: no such topic) and what it should have."""

    topic: NewTopicSpec
    what: str
    is_now: str | None
    wanted: str

    @property
    def can_be_applied(self) -> bool:
        """Partitions cannot be taken away, nor copies moved, without a person who plans it."""
        return self.what != "replication" and not (
            self.what == "partitions" and int(self.is_now or 0) > int(self.wanted)
        )

    @property
    def sentence(self) -> str:
        if self.is_now is None:
            return f"{self.topic.name}: is missing ({self.wanted})"
        return f"{self.topic.name}: {self.what} is {self.is_now}, wanted {self.wanted}"


@dataclass(frozen=True, slots=True)
class Permission:
    """One entry of the broker's access list: `principal` may do `operation` on this topic or group."""

    principal: str
    operation: Operation
    resource: Resource
    name: str
    prefixed: bool = False


class Topics(Mapping[str, Topic]):
    """The topics by name; a partner's stands once, with `{partner}` in its name."""

    def __init__(self, file: _File) -> None:
        self._file = file

    @classmethod
    def read(cls, path: Path) -> Topics:
        """
        :raises TopicsFault: the file cannot be read, or says something that cannot be.
        """
        try:
            file = _File.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except (OSError, yaml.YAMLError) as fault:
            raise TopicsFault(f"{path}: cannot be read: {fault}") from fault
        except ValidationError as fault:
            errors = fault.errors(include_url=False, include_context=False)
            raise TopicsFault(
                "\n".join(f"{path}: {'.'.join(map(str, error['loc']))}: {error['msg']}" for error in errors)
            ) from fault
        for name, topic in file.topics.items():
            for who in (topic.writer, *topic.readers):
                if who not in file.principals:
                    raise TopicsFault(f"{path}: topics.{name}: {who} is no principal of this file")
        return cls(file)

    def names_for(
        self, service: str, policies: Mapping[str, ForcePolicy], *, one_broker: bool = False
    ) -> list[NewTopicSpec]:
        """What a service writes, so what it has to find there: one topic for each partner of any force among them.

        :param one_broker: a cluster of a single broker keeps no copies.
        """
        defaults = self._file.defaults
        return [
            NewTopicSpec(
                name,
                defaults.partitions,
                1 if one_broker else defaults.replication,
                {
                    "retention.ms": str(topic.retention_days * _DAY_MS),
                    "min.insync.replicas": str(1 if one_broker else defaults.min_insync_replicas),
                    "cleanup.policy": "delete",
                    "message.timestamp.type": "CreateTime",
                },
            )
            for pattern, topic in self._file.topics.items()
            if topic.writer == service
            for name, _ in _spelled(pattern, policies)
        ]

    def everything(self, policies: Mapping[str, ForcePolicy], *, one_broker: bool = False) -> tuple[NewTopicSpec, ...]:
        """Every topic there is, sorted by name."""
        specs = (spec for service in SERVICES for spec in self.names_for(service, policies, one_broker=one_broker))
        return tuple(sorted(specs, key=lambda spec: spec.name))

    def all_names(self, policies: Mapping[str, ForcePolicy]) -> tuple[str, ...]:
        """Every topic there is, sorted."""
        return tuple(spec.name for spec in self.everything(policies))

    def permissions(self, policies: Mapping[str, ForcePolicy]) -> tuple[Permission, ...]:
        """All that is allowed; anything else is not."""
        found: list[Permission] = []
        for pattern, topic in self._file.topics.items():
            for name, partner in _spelled(pattern, policies):
                found.append(Permission(self._name(topic.writer, partner), "Write", "Topic", name))
                found += [Permission(self._name(who, partner), "Read", "Topic", name) for who in topic.readers]
        for who, principal in self._file.principals.items():
            for partner in _partners(policies) if _PARTNER in principal.name else [""]:
                group = principal.group.replace(_PARTNER, partner)
                found.append(Permission(self._name(who, partner), "Read", "Group", group, principal.group_is_prefix))
        return tuple(found)

    def _name(self, who: str, partner: str) -> str:
        return self._file.principals[who].name.replace(_PARTNER, partner)

    def __getitem__(self, name: str) -> Topic:
        return self._file.topics[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._file.topics)

    def __len__(self) -> int:
        return len(self._file.topics)


async def compare(bootstrap: str, specs: Sequence[NewTopicSpec]) -> list[Difference]:
    """Where the broker differs from what is wanted, topic by topic.

    :raises KafkaError: the broker does not answer.
    """
    async with _admin(bootstrap) as admin:
        return await _differences(admin, specs)


async def apply(bootstrap: str, specs: Sequence[NewTopicSpec]) -> list[Difference]:
    """Create what is missing, add partitions, set retention and the like as the file says; removes no topic.

    Returns what differs still, which a person has to plan: fewer partitions, another number of copies.

    :raises TopicsRefused: the broker refused something.
    :raises KafkaError: the broker does not answer.
    """
    async with _admin(bootstrap) as admin:
        for _ in range(100):
            found = await _differences(admin, specs)
            ours = [difference for difference in found if difference.can_be_applied]
            if not ours:
                return found
            await _change(admin, ours)
            # What a broker says of its topics follows a moment later; what is done twice does no harm.
            await asyncio.sleep(0.1)
    raise TopicsRefused(f"The broker does not take over: {'; '.join(difference.sentence for difference in ours)}.")


async def _change(admin: AIOKafkaAdminClient, differences: Sequence[Difference]) -> None:
    missing = [difference.topic for difference in differences if difference.is_now is None]
    more = {d.topic.name: NewPartitions(d.topic.partitions) for d in differences if d.what == "partitions"}
    settings = {d.topic.name: d.topic.config for d in differences if d.is_now is not None and d.what != "partitions"}
    if missing:
        _refuse(_refused(await admin.create_topics([_new(spec) for spec in missing])))
    if more:
        answer = await admin.create_partitions(more)
        _refuse([name for name, code, *_ in answer.topic_errors if code not in (0, _AS_MANY_ALREADY)])
    if settings:
        answers = await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, name, dict(config)) for name, config in settings.items()]
        )
        _refuse([name for answer in answers for code, _, _, name in answer.resources if code])


@asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()


async def _differences(admin: AIOKafkaAdminClient, specs: Sequence[NewTopicSpec]) -> list[Difference]:
    there = set(await admin.list_topics())
    known = [spec for spec in specs if spec.name in there]
    missing = [
        Difference(spec, "topic", None, f"{spec.partitions} partitions, {spec.replication} copies")
        for spec in specs
        if spec.name not in there
    ]
    if not known:
        return missing
    partitions = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics([s.name for s in known])}
    answers = await admin.describe_configs(
        [ConfigResource(ConfigResourceType.TOPIC, spec.name, dict.fromkeys(spec.config, "")) for spec in known]
    )
    settings = {
        resource[3]: {entry[0]: entry[1] for entry in resource[4]}
        for answer in answers
        for resource in answer.resources
    }
    found = missing
    for spec in known:
        has = partitions[spec.name]
        pairs = [
            ("partitions", str(len(has)), str(spec.partitions)),
            ("replication", str(len(has[0]["replicas"])), str(spec.replication)),
            *((name, settings[spec.name].get(name, ""), wanted) for name, wanted in spec.config.items()),
        ]
        found += [Difference(spec, what, now, wanted) for what, now, wanted in pairs if now != wanted]
    return found


def _new(spec: NewTopicSpec) -> NewTopic:
    return NewTopic(spec.name, spec.partitions, spec.replication, topic_configs=dict(spec.config))


def _refused(answer: Any) -> list[str]:
    return [topic for topic, code, *_ in answer.topic_errors if code not in (0, _ALREADY_THERE)]


def _refuse(topics: Sequence[str]) -> None:
    if topics:
        raise TopicsRefused(f"The broker refused to create or change {', '.join(sorted(topics))}.")


async def create_missing(bootstrap: str, specs: Sequence[NewTopicSpec], stopping: asyncio.Event) -> None:
    """Create the topics that are not there, however long the broker takes to come; those there stay as they are.

    Only for Apache Kafka: the embedded broker's topics are made by whoever starts it.
    """
    pause = 0.2
    while not stopping.is_set():
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=10_000)
        try:
            await admin.start()
            refused = _refused(await admin.create_topics([_new(spec) for spec in specs]))
            if not refused:
                return
            log(__name__).warning("topics cannot be created", topics=refused)
        except (KafkaError, OSError) as fault:
            log(__name__).warning("topics cannot be created", fault=type(fault).__name__)
        finally:
            await admin.close()
        try:
            await asyncio.wait_for(stopping.wait(), pause)
        except TimeoutError:
            pause = min(3.0, pause * 2)


def _partners(policies: Mapping[str, ForcePolicy]) -> list[str]:
    return sorted({partner.partner_id for policy in policies.values() for partner in policy.partners})


def _spelled(pattern: str, policies: Mapping[str, ForcePolicy]) -> list[tuple[str, str]]:
    """A topic's names, each with its partner: one for each partner where the pattern says so."""
    if _PARTNER not in pattern:
        return [(pattern, "")]
    return [(pattern.replace(_PARTNER, partner), partner) for partner in _partners(policies)]
