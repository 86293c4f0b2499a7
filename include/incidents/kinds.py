"""Kinds of incidents, one row each: how an error is recognised, what is at fault, what fixes it.

Everything that depends on a kind reads it here: which failures are one cause, the text of messages, the
sections of ``docs/runbook.md``, and what ``incidents resolve --rerun`` runs again.

An error has the first kind whose ``errors`` (names of exception classes) are in its chain and whose ``text``
is found there. ``resource`` says what is at fault:

- ``source``, ``target``: the firm's connection; for a firm without one the firm itself
- ``firm``, ``dataset``: the firm, or a dataset of the firm; failures of two firms are two incidents
- ``named``: what the pattern ``text`` captured in the error, such as a connection's id
- any other text: the resource itself; all failures in the installation are one incident

In ``command``, ``{id}`` is the incident, ``{firm}`` and ``{as_of}`` its first firm and day, ``{resource}``
its resource.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RERUN = "python -m include incidents resolve {id} --rerun"
DOCTOR = "python -m include doctor"
START = "python -m include.stack up"
CRITICAL, ERROR, WARNING = SEVERITIES = ("critical", "error", "warning")


@dataclass(frozen=True)
class Kind:
    """One kind of incident.

    ``rerun`` is what ``--rerun`` clears: ``failed`` tasks, ``extract`` (everything: bad data must be read
    again), or nothing. ``advice`` is what to do before the command.
    """

    name: str
    place: str
    title: str
    resource: str
    advice: str
    errors: tuple[str, ...] = ()
    text: str = ""
    refused_login: bool = False
    severity: str = ERROR
    command: str = RERUN
    rerun: str = "failed"

    @property
    def section(self) -> str:
        """The section of the runbook."""
        return f"docs/runbook.md#{self.name.replace('_', '-')}"

    def matches(self, classes: frozenset[str], text: str, *, refused_login: bool) -> re.Match[str] | bool:
        """Whether an error whose chain has these classes and texts is of this kind; the match of ``text``."""
        if not self.errors or (self.refused_login and not refused_login):
            return False
        if not classes.intersection(self.errors):
            return False
        return re.search(self.text, text) or False if self.text else True


SOURCE, PUBLISHED = ("SourceError",), ("PublishError", "WebhookUnavailable")
STORE, WAREHOUSE = ("StoreError",), ("WarehouseError", "psycopg.Error")
FULL = r"[Nn]o space left|quota exceeded|File too large|disk is full|no room is left|no space for temporary"

# The order matters: the first row that matches gives the kind.
_ROWS = (
    # --- the machine and Airflow
    Kind("task_lost", "airflow", "tasks ended without an error message", "workers",
         "The process was killed, ran out of memory, or lost Airflow's API server. Check the memory of the "
         "machine and the services: `make health`.",
         errors=("TaskLost",)),
    Kind("run_timed_out", "airflow", "run of {resource} exceeded its time limit", "firm",
         "See in Airflow which task was still running or waiting, and for what.",
         errors=("RunTimedOut",)),
    Kind("disk_full", "machine", "no disk space left", "disk",
         "Free space on the disk that the error names.",
         errors=("OSError", "NoRoomError", "StoreError", "SourceError", "QueryError", "WarehouseError"),
         text=FULL, severity=CRITICAL),
    Kind("out_of_memory", "machine", "a step needs more memory than it may use", "firm",
         "Raise FIRMAMENT_MEMORY_MB, or give the machine more memory.",
         errors=("MemoryError", "OutOfMemoryException")),
    Kind("airflow_unreachable", "airflow", "Airflow's API server did not answer its tasks", "api-server",
         "Check that the API server runs: `make health`; `make up` starts it.",
         errors=("AirflowRuntimeError", "ServerResponseError", "UnansweredConnectionError"),
         text=r"API_SERVER_ERROR|Connection refused|may be down|Server error", severity=CRITICAL,),
    Kind("step_timed_out", "firm", "a step of {resource} exceeded its time limit", "firm",
         "Find what it waited for in its log. Large firms: raise `timeout_minutes` in include/kinds.py.",
         errors=("AirflowTaskTimeout",)),
    # --- the firm's row
    Kind("connection_missing", "airflow", "connection {resource} does not exist", "named",
         "Add the connection: `python -m include airflow connections add {resource} --conn-uri URI`.",
         errors=("MissingConnectionError", "StoreError"),
         text=r"[Cc]onnection '([\w.-]+)'(?= in Airflow|: AIRFLOW)"),
    Kind("as_of_refused", "firm", "a run of {resource} has an as_of that cannot be used", "firm",
         "Start the run again with today or an earlier day.",
         errors=("AsOfError",), severity=WARNING, rerun="",
         command="python -m include incidents resolve {id}"),
    Kind("source_login_refused", "source", "source {resource} refuses the login", "source",
         "Correct login, password or database of the connection in Airflow.",
         errors=SOURCE, refused_login=True),
    Kind("publish_login_refused", "target", "target {resource} refuses the login", "target",
         "Correct login, password or database of the connection in Airflow.",
         errors=PUBLISHED, refused_login=True),
    Kind("warehouse_login_refused", "warehouse", "the warehouse refuses the login", "warehouse",
         "Correct the connection firmament_warehouse or FIRMAMENT_WAREHOUSE_DSN.",
         errors=WAREHOUSE, refused_login=True, severity=CRITICAL),
    Kind("row_unusable", "firm", "the row of {resource} cannot be used", "firm",
         "Correct the firm's row: `python -m include firms show {firm}`, then "
         "`python -m include firms add --file F.yaml`.",
         errors=("FirmError", "SourceRowError", "PublishRowError")),
    Kind("setting_missing", "machine", "a setting of the installation is missing", "settings",
         "Set what the error names; docs/configuration.md lists all settings.",
         errors=("SettingsError",), severity=CRITICAL),
    # --- data
    Kind("gate_stopped", "firm", "the quality gate stopped {resource}", "dataset",
         "See which check failed in control.quality and correct the source. The last good snapshot stays.",
         errors=("QualityError",), rerun="extract"),
    Kind("amount_out_of_range", "firm", "{resource} has amounts that are too large", "dataset",
         "Correct the amounts in the source.",
         errors=("AmountError",), rerun="extract"),
    Kind("file_question", "firm", "a file of {resource} is ambiguous", "firm",
         "Answer the question: `python -m include firms accept {firm}`.",
         errors=("Asks", "Refused"), rerun="extract"),
    # --- the source
    Kind("source_unreachable", "source", "source {resource} cannot be reached", "source",
         "Check that the server is up and that this machine may connect to it.",
         errors=SOURCE,
         text=r"cannot connect|Connection refused|could not connect|timed? ?out|could not translate host"
         r"|connection to server|server closed the connection|DPY-6005|ORA-12541|ORA-12170"),
    Kind("source_denied", "source", "source {resource} denies reading a table", "source",
         "Grant the login SELECT on the table that the error names.",
         errors=SOURCE, text=r"permission denied|ORA-00942|ORA-01031|Permission denied"),
    Kind("source_changed", "firm", "tables or columns of {resource} have changed", "firm",
         "Compare the source with docs/sources.md; correct the source or the firm's row.",
         errors=SOURCE, text=r"does not exist|has no (table|column)|lacks|missing column|ORA-00904"),
    Kind("file_changing", "firm", "files of {resource} changed while they were read", "firm",
         "Write a file under another name first, then rename it.",
         errors=SOURCE, text=r"changed while"),
    Kind("file_unreadable", "firm", "files of {resource} cannot be read", "firm",
         "See the file and the reason in the error.",
         errors=SOURCE,
         text=r"has no file|cannot be (read|listed)|link to a file|same file twice|expands more"),
    Kind("source_unusable", "firm", "the source of {resource} cannot be read", "firm",
         "See the reason in the error; `python -m include doctor {firm}` tries the source again.",
         errors=SOURCE),
    # --- handoffs
    Kind("handoff_damaged", "store", "handoff files are damaged", "firm",
         "The rerun writes them again. If it happens twice, check the disk or the S3 server.",
         errors=("Corrupt",), severity=CRITICAL, rerun="extract"),
    Kind("attempt_fenced", "firm", "a newer attempt of {resource} replaced this one", "firm",
         "Usually nothing: the newer attempt has done the work.",
         errors=("Fenced",), severity=WARNING),
    Kind("commit_unknown", "warehouse", "the connection was lost during a commit", "warehouse",
         "The rerun recognises what was committed.",
         errors=("UnknownOutcome",)),
    Kind("store_of_one_host", "store", "handoffs are in a folder of one host, tasks run on several", "store",
         "Set FIRMAMENT_ROOT to a bucket, or FIRMAMENT_SHARED_FOLDER=1 if all hosts mount the folder.",
         errors=("HostError",), severity=CRITICAL),
    Kind("store_denied", "store", "the store of handoffs refuses access", "store",
         "Check the key of the store's connection and what it is allowed to do.",
         errors=STORE, text=r"was refused|Permission denied|does not exist at", severity=CRITICAL),
    Kind("store_unreachable", "store", "the store of handoffs cannot be used", "store",
         "Check that the S3 server, or the disk of FIRMAMENT_ROOT, is there.",
         errors=STORE, severity=CRITICAL),
    Kind("handoff_missing", "firm", "a handoff of {resource} is missing", "firm",
         "The rerun writes it.",
         errors=("HandoffError",), rerun="extract"),
    # --- the warehouse
    Kind("connections_exhausted", "warehouse", "PostgreSQL has reached its limit of connections", "warehouse",
         "End idle sessions (pg_stat_activity), or raise max_connections.",
         errors=WAREHOUSE, text=r"too many clients|remaining connection slots|53300", severity=CRITICAL),
    Kind("warehouse_read_only", "warehouse", "the warehouse is read-only", "warehouse",
         "After a failover, point connection firmament_warehouse to the primary.",
         errors=WAREHOUSE, text=r"read-only|25006", severity=CRITICAL),
    Kind("schema_outdated", "warehouse", "the warehouse lacks a migration", "warehouse",
         "Apply it: `python -m include migrate`.",
         errors=("MigrationError",), severity=CRITICAL),
    Kind("warehouse_denied", "warehouse", "the warehouse's login lacks a grant", "warehouse",
         "Use the owner of the schema in connection firmament_warehouse; `python -m include migrate` applies "
         "grants.",
         errors=WAREHOUSE, text=r"permission denied|lacks a grant|42501", severity=CRITICAL),
    Kind("warehouse_locked", "warehouse", "another session holds locks in the warehouse", "warehouse",
         "Find it in pg_stat_activity and end it.",
         errors=WAREHOUSE, text=r"55P03|57014|40P01|lock timeout|statement timeout|deadlock"),
    Kind("warehouse_unreachable", "warehouse", "the warehouse cannot be reached", "warehouse",
         "Start PostgreSQL: `make up`; elsewhere check the server and connection firmament_warehouse.",
         errors=WAREHOUSE,
         text=r"cannot be reached|Connection refused|connection (was lost|is lost|failed)|server closed"
         r"|terminating connection|starting up|shutting down|57P0|consuming input failed",
         severity=CRITICAL),
    Kind("load_refused", "firm", "a load of {resource} was refused by a check", "firm",
         "The error names the check in include/sql/check/ and the rows. Nothing was committed.",
         errors=("LoadRefused",)),
    # --- results
    Kind("publish_unreachable", "target", "target {resource} of published results cannot be used", "target",
         "Check the firm's own database or webhook, and what the login may write.",
         errors=PUBLISHED, severity=WARNING),
    # --- our own
    Kind("contract_broken", "firm", "rows of {resource} break their contract", "firm",
         "The error names dataset and column. Correct the source, or report it as a bug with the trace.",
         errors=("ContractError",), rerun="extract"),
    Kind("model_damaged", "firm", "a stored model of {resource} was changed", "firm",
         "Roll back to an earlier model: `python -m include models list {firm}`.",
         errors=("TamperedModel",), severity=CRITICAL),
    # --- found by the checks of the upkeep DAG and of the watcher, not by an error
    Kind("deadline_missed", "firm", "snapshots due {resource} are not complete", "named",
         "See in Airflow whether the runs started, wait for a pool, or are paused.",
         severity=CRITICAL),
    Kind("late_rows", "firm", "{resource}: closed months changed in the source", "dataset",
         "Read all months again.",
         severity=WARNING, command="python -m include run {firm} --as-of {as_of} --full", rerun=""),
    Kind("model_drift", "firm", "customers of {resource} differ from those the model was trained on", "firm",
         "See control.vw_model_drift. The next training date adapts the model; it is earlier with a smaller "
         "`retrain_months`.",
         severity=WARNING, command="python -m include models list {firm}", rerun=""),
    Kind("service_down", "airflow", "Airflow's {resource} does not run", "named",
         "Start it: `make up`; in compose `docker compose up --detach`. Its log is in `logs/` of "
         "FIRMAMENT_HOME.",
         severity=CRITICAL, command=START, rerun=""),
    Kind("dags_missing", "airflow", "Airflow does not show the DAGs of all firms", "dags",
         "Look for import errors and a DAG processor that is slow or does not run.",
         severity=CRITICAL, command="python -m include airflow dags list-import-errors", rerun=""),
    Kind("import_error", "airflow", "DAG file {resource} cannot be imported", "named",
         "Correct the file or the registry: `python -m include firms sync`.",
         severity=CRITICAL, command="python -m include airflow dags list-import-errors", rerun=""),
    Kind("parse_old", "airflow", "no DAG file has been parsed for a while", "dag-processor",
         "Check that the DAG processor runs and how long a pass takes.",
         command=DOCTOR, rerun=""),
    Kind("tasks_queued", "airflow", "tasks are queued and do not start", "queue",
         "If nothing runs, restart the scheduler, because a killed worker can block the others: `make down`, "
         "then `make up`.",
         command=DOCTOR, rerun=""),
    Kind("run_stuck", "airflow", "a run of {resource} is queued and does not start", "firm",
         "A cleared run of a cancelled backfill never starts (airflow#72337): delete the run in Airflow and "
         "backfill the day again.",
         command="python -m include backfill {firm} --from {as_of} --to {as_of}", rerun=""),
    Kind("pool_missing", "airflow", "pool {resource} does not exist", "named",
         "Add it. Tasks of a missing pool wait for ever.",
         severity=CRITICAL, command="python -m include firms sync", rerun=""),
    Kind("dag_paused", "airflow", "the DAG of {resource} is paused in Airflow", "firm",
         "Unpause it, or pause the firm: `python -m include firms pause {firm}`.",
         command="python -m include airflow dags unpause firm_{firm}", rerun=""),
    Kind("disk_low", "machine", "the disk of {resource} is nearly full", "named",
         "Free space, or move FIRMAMENT_HOME or FIRMAMENT_ROOT to a larger disk.",
         severity=CRITICAL, command=DOCTOR, rerun=""),
    Kind("clock_off", "machine", "the clocks of this machine and of the warehouse differ", "clock",
         "Synchronise both with NTP.",
         command=DOCTOR, rerun=""),
    Kind("certificate_expires", "machine", "the certificate of {resource} expires", "named",
         "Renew the certificate, and restart the server that shows it.",
         command=DOCTOR, rerun=""),
    Kind("watcher_silent", "machine", "the watcher has written no heartbeat", "watcher",
         "Start it: `make up`, or the line in cron: `python -m include.watcher --once`.",
         severity=CRITICAL, command=START, rerun=""),
    Kind("upkeep_failed", "airflow", "a task of firmament_upkeep failed: {resource}", "named",
         "Open the log.",
         command="python -m include airflow dags trigger firmament_upkeep", rerun=""),
)  # fmt: skip

KINDS = {kind.name: kind for kind in _ROWS}
UNKNOWN = Kind(
    "unknown_error", "firm", "an error that has no kind yet: {resource}", "function",
    "Read the trace in the log. Add a row for it to include/incidents/kinds.py.",
)  # fmt: skip


def is_of_an_error(name: str) -> bool:
    """Whether incidents of the kind come from a task or a run that failed, and not from a check."""
    return name not in KINDS or bool(KINDS[name].errors)


def kind_named(name: str) -> Kind:
    """The row of a stored incident; unknown names are of another version."""
    return KINDS.get(name, UNKNOWN)
