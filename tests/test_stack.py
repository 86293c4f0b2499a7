"""The embedded stack: its environment, and real lives of its services."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil
import pytest

from include import postgres, stack
from include.processes import family, is_alive
from include.settings import PROJECT, Settings
from include.stack import services
from include.stack.environment import fingerprint, keys, merge, service_environment
from include.steps import STAGES

DAG = """
from airflow.sdk import dag, task
import pendulum

@dag(start_date=pendulum.datetime(2025, 1, 1), schedule=None, is_paused_upon_creation=False)
def probe():
    @task
    def look():
        import os
        from include.settings import Settings
        with open(os.environ["PROBE"], "w") as out:
            out.write(Settings.read().warehouse_dsn())
    look()

probe()
"""


def own_environment(tmp_path, **environ):
    settings = Settings.read({"FIRMAMENT_HOME": str(tmp_path), **environ})
    made = keys(settings)
    return service_environment(
        settings, warehouse="postgresql://w", metadata="postgresql://m", port=1, keys=made
    )


def test_a_tasks_token_is_valid_longer_than_the_longest_step(tmp_path):
    seconds = int(own_environment(tmp_path)["AIRFLOW__EXECUTION_API__JWT_EXPIRATION_TIME"])

    assert seconds > 60 * max(stage.timeout_minutes for stage in STAGES)


def test_the_caller_may_override_defaults_but_not_addresses_of_services(tmp_path):
    own = own_environment(tmp_path)
    caller = {
        "AIRFLOW__CORE__PARALLELISM": "7",
        "AIRFLOW__API__PORT": "9",
        "AIRFLOW_CONN_SHOP": "postgres://s",
    }

    merged = merge(own, caller)

    assert merged["AIRFLOW__CORE__PARALLELISM"] == "7"
    assert merged["AIRFLOW__API__PORT"] == "1"
    assert merged["AIRFLOW_CONN_SHOP"] == "postgres://s"


def test_the_project_comes_first_on_pythonpath(tmp_path):
    merged = merge(own_environment(tmp_path), {"PYTHONPATH": "/theirs"})

    assert merged["PYTHONPATH"] == f"{PROJECT}{os.pathsep}/theirs"


def test_the_storage_of_the_caller_reaches_the_services(tmp_path):
    own = own_environment(tmp_path, FIRMAMENT_ROOT="s3://store@bucket/handoffs")

    assert own["FIRMAMENT_ROOT"] == "s3://store@bucket/handoffs"


def test_only_changed_settings_restart_services():
    before = {"AIRFLOW__CORE__PARALLELISM": "2", "TERM": "xterm"}

    assert fingerprint(before) == fingerprint({**before, "TERM": "dumb"})
    assert fingerprint(before) != fingerprint({**before, "FIRMAMENT_ROOT": "file:///elsewhere"})


def test_keys_are_made_once_and_read_by_their_owner_alone(tmp_path):
    settings = Settings.read({"FIRMAMENT_HOME": str(tmp_path)})

    first, second = keys(settings), keys(settings)

    assert first == second
    assert stat.S_IMODE((tmp_path / "airflow" / "keys.json").stat().st_mode) == 0o600


def test_down_without_a_stack_is_no_error(tmp_path):
    assert stack.down(Settings.read({"FIRMAMENT_HOME": str(tmp_path / "nothing")})) is False


def test_health_reports_every_stopped_part(tmp_path):
    problems = stack.health(Settings.read({"FIRMAMENT_HOME": str(tmp_path)}))

    assert "make up" in problems.pop("warehouse")
    parts = ("api-server", "scheduler", "dag-processor", "watcher")
    assert problems == dict.fromkeys(parts, "not started")


def test_a_port_that_is_no_number_is_refused(home):
    with pytest.raises(stack.StackError, match="FIRMAMENT_AIRFLOW_PORT must be a number, but is 'x'"):
        stack.up(settings_of(home, FIRMAMENT_AIRFLOW_PORT="x"))


def test_a_taken_port_fails_before_anything_of_airflow_starts_and_leaves_nothing(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])

        with pytest.raises(stack.StackError, match=f"port {port} of 127.0.0.1 is taken"):
            stack.up(settings_of(home, FIRMAMENT_AIRFLOW_PORT=port))

    assert postgres.running(home / "postgres") is None


def test_an_unreachable_dsn_is_an_error_and_no_embedded_server_is_started(home):
    dsn = f"postgresql://nobody:secret@127.0.0.1:{postgres.free_port()}/none"

    done = run_stack("up", home, FIRMAMENT_WAREHOUSE_DSN=dsn)

    assert done.returncode == 1
    assert "refused" in done.stderr
    assert "secret" not in done.stderr
    assert not (home / "postgres").exists()


@pytest.fixture
def home():
    """A home that `nobody` may reach; whatever runs in it is ended."""
    yield from a_home()


@pytest.fixture(scope="module")
def shared_home():
    """One home for the tests that need services: the metadata is migrated once."""
    yield from a_home()


@pytest.fixture
def running(shared_home):
    """The stack of the shared home, up and healthy."""
    stack.up(settings_of(shared_home))
    return shared_home


@pytest.mark.airflow
def test_every_part_is_healthy_after_up(running):
    done = run_stack("health", running)

    assert done.returncode == 0, done.stdout
    assert done.stdout.count(" healthy") == 5


@pytest.mark.airflow
def test_a_second_up_starts_nothing_and_is_quick(running):
    before = (running / "stack.json").read_text()

    start = time.monotonic()
    stack.up(settings_of(running))

    assert time.monotonic() - start < 5
    assert (running / "stack.json").read_text() == before


@pytest.mark.airflow
def test_nothing_listens_but_on_the_loopback_address(running):
    addresses = listening(pids_of(running))

    assert len(addresses) == 2  # the API server, and PostgreSQL
    assert {address.rpartition(":")[0] for address in addresses} == {"127.0.0.1"}


@pytest.mark.airflow
def test_a_task_runs_imports_the_project_and_finds_the_warehouse(running):
    settings = settings_of(running)
    token = sign_in(settings)

    state = trigger(settings, token, "probe")

    assert state == "success"
    assert (running / "probe.txt").read_text() == settings.warehouse_dsn()


@pytest.mark.airflow
def test_a_wrong_password_does_not_sign_in(running):
    with pytest.raises(httpx.HTTPStatusError, match="401"):
        sign_in(settings_of(running), password="wrong")


@pytest.mark.airflow
def test_the_admins_password_is_read_by_its_owner_alone(running):
    modes = {
        stat.S_IMODE((running / "airflow" / name).stat().st_mode) for name in ("keys.json", "passwords.json")
    }

    assert modes == {0o600}


@pytest.mark.airflow
def test_a_killed_service_is_reported_and_up_restarts_it(running):
    records = json.loads((running / "stack.json").read_text())["records"]
    (processor,) = [record["pid"] for record in records if record["name"] == "dag-processor"]

    os.kill(processor, 9)
    while is_alive(processor):
        time.sleep(0.01)
    problems = {part: problem for part, problem in stack.health(settings_of(running)).items() if problem}
    stack.up(settings_of(running))

    assert problems == {"dag-processor": f"process {processor} has ended"}
    assert (running / "logs" / "dag-processor.previous.log").exists()
    assert set(stack.health(settings_of(running)).values()) == {""}


@pytest.mark.airflow
def test_a_failed_start_names_the_part_shows_its_log_and_leaves_nothing(home):
    done = run_stack("up", home, AIRFLOW__CORE__EXECUTOR="no.such.Executor")

    assert done.returncode == 1
    assert "scheduler: process" in done.stderr
    assert 'Current value: "::no.such.Executor"' in done.stderr
    assert not (home / "stack.json").exists()
    assert postgres.running(home / "postgres") is None


@pytest.mark.airflow
def test_a_setup_command_that_fails_is_the_last_one_and_leaves_its_message(tmp_path):
    environ = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    log, answers = tmp_path / "setup.log", []
    commands = [
        services.Command("setup", ("no-such-command",), log, waits=True),
        services.Command("service", ("scheduler",), tmp_path / "service.log"),
    ]

    services.launch(commands, environ, tmp_path / "errors.log", answers.append)

    assert [(answer["name"], answer["status"]) for answer in answers] == [("setup", 2)]
    assert "invalid choice: 'no-such-command'" in log.read_text()
    assert not (tmp_path / "service.log").exists()


@pytest.mark.airflow
def test_services_that_an_interrupted_start_has_forked_are_reported(tmp_path):
    environ = {**os.environ, "AIRFLOW_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    commands = [services.Command(name, ("version",), tmp_path / "log") for name in ("first", "second")]
    answers = []

    def interrupt(answer):
        answers.append(answer)
        if len(answers) == 1:
            time.sleep(1)  # the second is forked meanwhile
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.launch(commands, environ, tmp_path / "errors.log", interrupt)

    assert [answer["name"] for answer in answers] == ["first", "second"]


@pytest.mark.airflow
def test_a_dsn_replaces_the_embedded_server_and_down_leaves_nothing(home, warehouse_dsn):
    settings = settings_of(home, FIRMAMENT_WAREHOUSE_DSN=warehouse_dsn, FIRMAMENT_AIRFLOW_PASSWORD="chosen")

    up = stack.up(settings)
    problems = stack.health(settings)
    pids = pids_of(home)
    ended, ended_again = stack.down(settings), stack.down(settings)

    assert (up.warehouse, up.password) == (warehouse_dsn, "chosen")
    assert set(problems.values()) == {""}
    assert not (home / "postgres").exists()
    assert len(pids) >= 4
    assert (ended, ended_again) == (True, False)
    assert [pid for pid in pids if is_alive(pid)] == []


def a_home():
    folder = Path(tempfile.mkdtemp(prefix="firmament-stack-"))
    folder.chmod(0o755)
    (folder / "dags").mkdir()
    (folder / "dags" / "probe.py").write_text(DAG)
    try:
        yield folder
    finally:
        stack.down(settings_of(folder))
        shutil.rmtree(folder)


def environment_of(home, **more):
    mine = {
        "FIRMAMENT_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(home / "dags"),
        "PROBE": str(home / "probe.txt"),
    }
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return {**inherited, **mine, **more}


def settings_of(home, **more):
    return Settings.read(environment_of(home, **more))


def run_stack(command, home, **more):
    return subprocess.run(
        [sys.executable, "-m", "include.stack", command],
        cwd=PROJECT,
        env=environment_of(home, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


def pids_of(home):
    leaders = [record["pid"] for record in json.loads((home / "stack.json").read_text())["records"]]
    leaders += [server.pid] if (server := postgres.running(home / "postgres")) else []
    return {pid for leader in leaders for pid in family(leader)}


def listening(pids):
    """The addresses on which the processes listen."""
    found = {one for pid in pids for one in psutil.Process(pid).net_connections("inet")}
    return {f"{one.laddr.ip}:{one.laddr.port}" for one in found if one.status == psutil.CONN_LISTEN}


def ask(settings, method, path, body=None, token=None):
    answer = httpx.request(
        method,
        stack.env(settings)["AIRFLOW__API__BASE_URL"] + path,
        json=body,
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=30,
        trust_env=False,
    )
    return answer.raise_for_status().json()


def sign_in(settings, password=None):
    password = password or keys(settings)["admin_password"]
    return ask(settings, "POST", "/auth/token", {"username": "admin", "password": password})["access_token"]


def trigger(settings, token, dag_id):
    """Run a DAG to its end; the DAG is known when the processor has seen its file."""
    deadline = time.monotonic() + 120
    runs = f"/api/v2/dags/{dag_id}/dagRuns"
    run_id = None
    while time.monotonic() < deadline:
        try:
            run_id = run_id or ask(settings, "POST", runs, {"logical_date": None}, token)["dag_run_id"]
            state = ask(settings, "GET", f"{runs}/{run_id}", token=token)["state"]
        except httpx.HTTPError:
            state = "unknown"
        if state in ("success", "failed"):
            return state
        time.sleep(0.5)
    raise AssertionError(f"{dag_id} did not end: {stack.health(settings)}")
