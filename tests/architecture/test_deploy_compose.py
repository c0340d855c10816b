"""docker-compose.yml and the image it runs: what the services are told, what they may do, what stands open."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from shared.contracts.catalogue import SERVICES
from shared.embedded.stack import Ports
from shared.provisioning import provision_from
from tests.servers.apache_kafka import kafka_version
from tests.servers.compose import ROOT, compose, config, environment, make_secrets, settings_class

ONE_SHOT = ("provision", "topics")
OURS = (*SERVICES, *ONE_SHOT)
WITH_HEALTH_OF_THEIR_IMAGE = (*SERVICES, "mailbox")
STARTS_WRITING = {
    "kafka": "its image writes its configuration at start",
    "identity": "its image builds itself at start",
}
PARTS = tuple(yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"])
DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text(encoding="utf-8")

each_service = pytest.mark.parametrize("service", SERVICES)
each_part = pytest.mark.parametrize("name", PARTS)


def part(name: str) -> dict[str, Any]:
    """One entry under services."""
    found: dict[str, Any] = compose()["services"][name]
    return found


def told(service: str) -> dict[str, str]:
    """A container's variables that are ours."""
    return {name: value for name, value in environment(service).items() if name.startswith("WALKANDTALK_")}


def image_variables() -> set[str]:
    """What the image itself says."""
    return set(re.findall(r"(WALKANDTALK_[A-Z_]+)=", DOCKERFILE))


def test_without_secrets_compose_says_what_to_do(tmp_path: Path) -> None:
    """The first try of a newcomer ends with the command that is missing."""
    (tmp_path / ".env").touch()
    done = config(env_file=tmp_path / ".env")
    assert done.returncode != 0
    assert "run sh deploy/secrets.sh first" in done.stderr


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    """Every name of the example gets a value of its own, for the owner's eyes; a second run changes none, adds what
    is new."""
    example = re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    made = make_secrets(tmp_path / ".env")
    assert list(made) == example
    assert len({value for value in made.values() if len(value) >= 40}) == len(example)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    kept = "".join(f"{name}={value}\n" for name, value in made.items() if name != "LINK_KEY")
    (tmp_path / ".env").write_text(kept)
    again = make_secrets(tmp_path / ".env")
    assert again.pop("LINK_KEY") != made.pop("LINK_KEY")
    assert again == made


def test_every_secret_of_the_example_is_used_and_no_other() -> None:
    """A name in .env that nothing reads would be a trap."""
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    wanted = set(re.findall(r"\$\{([A-Z_]+):\?", text))
    example = re.findall(r"^([A-Z_]+)=$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE)
    assert wanted == set(example)


@each_service
def test_variables_are_those_of_the_settings(service: str) -> None:
    """None is misspelt, and none that has no default is missing."""
    fields = settings_class(service).model_fields
    known = {f"WALKANDTALK_{name.upper()}" for name in fields}
    given = set(told(service)) | image_variables()
    assert given - known == set()
    assert {f"WALKANDTALK_{name.upper()}" for name, field in fields.items() if field.is_required()} <= given


@each_service
def test_variables_make_settings(service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service itself accepts them: ports as published, no demo sign-in, the parts by their names in the file."""
    for name, value in told(service).items():
        monkeypatch.setenv(name, value)
    settings = settings_class(service)()
    assert settings.port == getattr(Ports(), service)
    assert not settings.embedded
    assert settings.kafka_idempotent
    assert settings.kafka_bootstrap.partition(":")[0] in PARTS
    assert [port["published"] for port in part(service)["ports"]] == [str(settings.port)]
    if settings.smtp_host != "127.0.0.1":
        assert settings.smtp_host in PARTS


def test_services_that_send_mail_know_where_to() -> None:
    """Those with an e-mail channel, and only those."""
    with_mail = {service for service in SERVICES if (ROOT / "services" / service / "channels" / "email.py").exists()}
    assert {service for service in SERVICES if "WALKANDTALK_SMTP_HOST" in told(service)} == with_mail


async def test_provisioning_is_told_the_same_passwords() -> None:
    """What the services sign in with is what their logins are given."""
    given = told("provision")
    for service in SERVICES:
        for login in ("web", "bus"):
            url = told(service)[f"WALKANDTALK_DATABASE_{login.upper()}_URL"]
            password = given.pop(f"WALKANDTALK_{service.upper()}_{login.upper()}_PASSWORD")
            assert url == f"postgresql://{service}_{login}:{password}@postgres:5432/{service}"
    # Nothing is missing: it gets as far as looking for the server, which is not here.
    with pytest.raises(OSError):
        await provision_from(
            told("provision") | {"WALKANDTALK_DATABASE_ADMIN_URL": "postgresql://a:b@127.0.0.1:1/c"}, 0
        )
    assert set(given) == {"WALKANDTALK_DATABASE_ADMIN_URL"}


def test_only_intake_holds_the_key_to_who_she_is() -> None:
    """Nor does anybody but the two ends of a survey's link hold its key."""
    assert [name for name in PARTS if "WALKANDTALK_MASTER_KEY" in environment(name)] == ["intake"]
    assert [name for name in PARTS if "WALKANDTALK_LINK_KEY" in environment(name)] == ["intake", "feedback"]
    key = environment("intake")["WALKANDTALK_MASTER_KEY"]
    assert not [name for name in PARTS if name != "intake" and key in str(part(name))]


@each_service
def test_a_service_is_told_no_other_services_password(service: str) -> None:
    """What it is not told it cannot lose."""
    others = [
        told("provision")[f"WALKANDTALK_{other.upper()}_{login}_PASSWORD"]
        for other in SERVICES
        if other != service
        for login in ("WEB", "BUS")
    ]
    assert not [password for password in others if password in str(part(service))]


@each_part
def test_parts_may_do_as_little_as_they_need(name: str) -> None:
    """No capability, no way to more rights, a bound on memory; a file system that cannot be written to."""
    found = part(name)
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert int(found["mem_limit"]) <= 2**30
    assert found["restart"] == ("on-failure" if name in ONE_SHOT else "unless-stopped")
    assert found.get("read_only", False) is (name not in STARTS_WRITING)
    assert not found.get("privileged")


@each_part
def test_only_this_machine_reaches_what_is_published(name: str) -> None:
    """A laptop in a café, a server without a firewall. Database and broker are not published at all."""
    ports = part(name).get("ports", [])
    assert all(port["host_ip"] == "127.0.0.1" for port in ports)
    if name in ("postgres", "kafka", *ONE_SHOT):
        assert not ports
        assert set(part(name)["networks"]) == {"back"}
    assert compose()["networks"]["back"]["internal"]


@each_part
def test_nothing_waits_for_another_part_to_start(name: str) -> None:
    """Any order will do, as after a power cut; each part waits by itself for what it needs."""
    assert "depends_on" not in part(name)


@each_part
def test_parts_say_whether_they_are_well(name: str) -> None:
    """By a health check of their own or of their image; what ends has none."""
    check = part(name).get("healthcheck")
    if name in ONE_SHOT:
        assert check == {"disable": True}
    elif name in WITH_HEALTH_OF_THEIR_IMAGE:
        assert check is None
    else:
        assert check and check["test"][0] == "CMD"


@each_part
def test_mounted_files_are_there_and_cannot_be_written(name: str) -> None:
    """A path that is missing would be made, as a folder, by the engine."""
    for volume in part(name).get("volumes", []):
        if volume["type"] == "bind":
            assert Path(volume["source"]).exists(), volume["source"]
            assert volume["read_only"], volume["source"]


def test_four_services_and_the_one_shots_are_one_image() -> None:
    """Built once from one Dockerfile."""
    assert len({part(name)["image"] for name in OURS}) == 1
    assert {part(name)["build"]["dockerfile"] for name in OURS} == {"deploy/Dockerfile"}
    for service in SERVICES:
        assert part(service)["command"] == ["python", "-m", f"services.{service}.app"]


def test_apache_kafka_is_the_version_under_test() -> None:
    """The same as the tests start from its jars."""
    assert part("kafka")["image"] == f"apache/kafka:{kafka_version()}"
    assert environment("kafka")["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_image_runs_as_nobody_in_particular_and_says_whether_it_is_well() -> None:
    """One base image, given from outside; numbers rather than a name, so that a cluster can check them."""
    assert not DOCKERFILE.startswith("# syntax")
    froms = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert set(froms) == {"${PYTHON_IMAGE}"} and len(froms) == 2
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER (\d+):\d+$", last, re.MULTILINE)
    assert "/health/ready" in last
    assert "--require-hashes" in DOCKERFILE and "--only-binary :all:" in DOCKERFILE


def test_image_is_made_of_what_is_let_through() -> None:
    """The list of what the engine sees names what the Dockerfile copies, and nothing of secrets or data."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source.rstrip("/")
        for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
        for source in sources.split()
    }
    assert {name for name in copied if not name.startswith("shared/")} <= let_through | {"shared"}
    assert "*" in lines and "deploy/*" in lines
    for name in copied:
        assert (ROOT / name).exists()
