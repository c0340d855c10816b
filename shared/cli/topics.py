"""The topics of deploy/topics.yaml on an Apache Kafka."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any

import typer

from shared.cli.terminal import console, errors, forces_folder

app = typer.Typer()
topics = typer.Typer(no_args_is_help=True, help="The topics of deploy/topics.yaml on an Apache Kafka.")
app.add_typer(topics, name="topics")


Bootstrap = Annotated[
    str, typer.Option(envvar="WALKANDTALK_KAFKA_BOOTSTRAP", help="Where Apache Kafka listens, host:port.")
]
OneBroker = Annotated[bool, typer.Option("--one-broker", help="A cluster of one broker keeps no copies.")]


@topics.command("plan")
def plan_topics(bootstrap: Bootstrap, one_broker: OneBroker = False) -> None:
    """Where the broker differs from the file; exit 1 if it does."""
    from shared.bus.topics import compare

    found = _on_broker(compare, bootstrap, one_broker, 0)
    for difference in found:
        note = "" if difference.can_be_applied else " (a person has to plan this)"
        console.print(difference.sentence + note, highlight=False, soft_wrap=True)
    if found:
        raise typer.Exit(1)
    console.print("The topics are as the file says")


@topics.command("apply")
def apply_topics(
    bootstrap: Bootstrap,
    one_broker: OneBroker = False,
    seconds: Annotated[float, typer.Option(min=0, help="How long to wait for the broker.")] = 60,
) -> None:
    """Create what is missing and set what differs; nothing is ever taken away."""
    from shared.bus.topics import apply

    left = _on_broker(apply, bootstrap, one_broker, seconds)
    for difference in left:
        errors.print(f"{difference.sentence}: a person has to plan this", style="red", highlight=False, soft_wrap=True)
    if left:
        raise typer.Exit(1)
    console.print("The topics are as the file says")


def _on_broker(work: Any, bootstrap: str, one_broker: bool, seconds: float) -> Any:
    from aiokafka.errors import KafkaError

    from shared.bus.topics import Topics, TopicsFault, TopicsRefused
    from shared.policies import Policies, PolicyFault

    folder = forces_folder()
    try:
        policies = Policies.read(folder)
        specs = Topics.read(folder.parent / "topics.yaml").everything(policies, one_broker=one_broker)
    except (TopicsFault, PolicyFault) as fault:
        errors.print(str(fault), style="red", highlight=False)
        raise typer.Exit(2) from None
    deadline = time.monotonic() + seconds
    while True:
        try:
            return asyncio.run(work(bootstrap, specs))
        except TopicsRefused as fault:
            errors.print(str(fault), style="red", highlight=False)
            raise typer.Exit(1) from None
        except (KafkaError, OSError) as fault:
            if time.monotonic() > deadline:
                errors.print(f"The broker at {bootstrap} does not answer: {type(fault).__name__}", style="red")
                raise typer.Exit(1) from None
        time.sleep(1)
