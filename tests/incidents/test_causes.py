"""Errors and their cause. The texts are those that the parts and the drivers raise."""

from __future__ import annotations

import errno
from typing import Any

import adbc_driver_manager
import duckdb
import oracledb
import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowRuntimeError, AirflowTaskTimeout, ErrorType
from airflow.sdk.execution_time.comms import ErrorResponse

from include.connections import MissingConnectionError, UnansweredConnectionError
from include.datasets import AmountError
from include.datasets.contract import ContractError
from include.engines.duckdb import QueryError
from include.firms import FirmError, FirmShape
from include.handoff.manifest import Corrupt, HandoffError
from include.handoff.protocol import Fenced as StoreFenced
from include.handoff.store_calls import StoreError
from include.handoff.stores import HostError
from include.incidents.causes import RunTimedOut, TaskLost, cause_of_error
from include.incidents.kinds import KINDS, UNKNOWN, Kind
from include.models.artefact import TamperedModel
from include.publishing import PublishError, PublishRowError
from include.publishing.webhook import WebhookUnavailable
from include.quality import QualityError
from include.run.stage import NoRoomError
from include.schedule import AsOfError
from include.settings import SettingsError
from include.source_errors import SourceError, SourceRowError
from include.warehouse import Fenced, LoadRefused, MigrationError, UnknownOutcome, WarehouseError
from tests.incidents.conftest import firm

SHOP, FILES = firm("acme", conn_id="acme_shop"), firm("acme")
DOWN = 'connection to server at "10.0.0.7", port 5432 failed: Connection refused'
REFUSED = 'FATAL:  password authentication failed for user "shop"'
MISSING = "no connection 'nowhere' in Airflow (its secrets backend, AIRFLOW_CONN_NOWHERE, and the metastore)"


def by(error: Exception, cause: BaseException) -> Exception:
    error.__cause__ = cause
    return error


def adbc(text: str) -> Exception:
    return adbc_driver_manager.OperationalError(text, status_code=adbc_driver_manager.AdbcStatusCode.IO)


def oracle(text: str) -> Exception:
    return oracledb.DatabaseError(text)


def no_api_server() -> Exception:
    answer = ErrorResponse(error=ErrorType.API_SERVER_ERROR, detail={"message": "Connection refused"})
    return AirflowRuntimeError(answer)


ERRORS: list[tuple[Any, FirmShape, str, str]] = [
    (TaskLost(), SHOP, "task_lost", "workers"),
    (RunTimedOut("the run exceeded its time limit and was ended"), SHOP, "run_timed_out", "acme"),
    (AirflowTaskTimeout("Timeout, PID: 7"), SHOP, "step_timed_out", "acme"),
    (no_api_server(), SHOP, "airflow_unreachable", "api-server"),
    (UnansweredConnectionError("Airflow found no connection 'x', but its database or secrets backend "
          "may be down"),
     SHOP, "airflow_unreachable", "api-server"),
    # the machine
    (OSError(errno.ENOSPC, "No space left on device"), SHOP, "disk_full", "disk"),
    (NoRoomError("features of acme: no space left on device in /tmp; free space there"),
     SHOP, "disk_full", "disk"),
    (StoreError("cannot write acme/x/part-0.parquet: No space left on device; free space"),
     SHOP, "disk_full", "disk"),
    (WarehouseError("loading: could not extend file (SQLSTATE 53100); the server's disk is full"),
     SHOP, "disk_full", "disk"),
    (QueryError("IO Error: max size; no room is left in /tmp/spill: free space there"),
     SHOP, "disk_full", "disk"),
    (by(QueryError("OutOfMemoryException: could not allocate"), duckdb.OutOfMemoryException("x")),
     SHOP, "out_of_memory", "acme"),
    (MemoryError(), SHOP, "out_of_memory", "acme"),
    # the firm's row and its connections
    (AirflowFailException(MISSING), SHOP, "unknown_error", "AirflowFailException"),
    (by(AirflowFailException(MISSING), MissingConnectionError(MISSING)),
     SHOP, "connection_missing", "nowhere"),
    (by(StoreError(MISSING.replace("nowhere", "store")), MissingConnectionError("x")),
     SHOP, "connection_missing", "store"),
    (AsOfError("as_of 2027-01-01 is in the future"), SHOP, "as_of_refused", "acme"),
    (FirmError("firm acme: currency: must be three letters"), SHOP, "row_unusable", "acme"),
    (SourceRowError("firm acme: source kind 'cvs' is unknown"), SHOP, "row_unusable", "acme"),
    (PublishRowError("firm acme: connection crm is of type 'mysql'"), SHOP, "row_unusable", "acme"),
    (SettingsError("no warehouse: no embedded server runs"), SHOP, "setting_missing", "settings"),
    # the source
    (by(SourceError(f"firm acme (acme_shop): cannot connect: {REFUSED}"), psycopg.OperationalError(REFUSED)),
     SHOP, "source_login_refused", "acme_shop"),
    (by(SourceError("firm acme: cannot connect"), oracle("ORA-01017: invalid credential")),
     SHOP, "source_login_refused", "acme_shop"),
    (by(SourceError(f"firm acme (acme_shop): cannot connect: {DOWN}"), adbc(DOWN)),
     SHOP, "source_unreachable", "acme_shop"),
    (by(SourceError("firm acme: cannot connect: DPY-6005"), oracle("DPY-6005: cannot connect to database")),
     SHOP, "source_unreachable", "acme_shop"),
    (by(SourceError("firm acme: sales: canceling statement; see"), adbc("server closed the connection "
          "unexpectedly")),
     SHOP, "source_unreachable", "acme_shop"),
    (SourceError("firm acme: permission denied for table sales; see docs/sources.md"), SHOP, "source_denied",
     "acme_shop"),
    (SourceError('firm acme: column "net" does not exist; see docs/sources.md'),
     SHOP, "source_changed", "acme"),
    (SourceError("/data/sales.csv changed while it was read; run again"), FILES, "file_changing", "acme"),
    (SourceError("/data has no file that ends with .csv; send the sales again"),
     FILES, "file_unreadable", "acme"),
    (SourceError("firm acme: none of the rows has a date from 1990"), FILES, "source_unusable", "acme"),
    # data
    (by(AirflowFailException("transactions 2026-11: grain_unique"), QualityError("transactions 2026-11: "
          "grain_unique")),
     SHOP, "gate_stopped", "acme/transactions"),
    (AmountError("transactions: net_amount 1e15 is above the limit"), SHOP, "amount_out_of_range",
     "acme/transactions"),
    (ContractError("customers: column email is missing"), SHOP, "contract_broken", "acme"),
    # handoffs
    (Corrupt("acme/rfm/part-0: sha256 ab where its manifest says cd; rerun"),
     SHOP, "handoff_damaged", "acme"),
    (StoreFenced("acme/rfm: token 3 is older than 4"), SHOP, "attempt_fenced", "acme"),
    (Fenced("fact_customer_rfm of acme: a newer attempt has written"), SHOP, "attempt_fenced", "acme"),
    (HostError("FIRMAMENT_ROOT=file:///a is a folder of one host, but CeleryExecutor runs tasks on several"),
     SHOP, "store_of_one_host", "store"),
    (StoreError("cannot read s3://b/k: connection 'store' was refused (AccessDenied): check its key"),
     SHOP, "store_denied", "store"),
    (StoreError("cannot read s3://b/k: Could not connect to the endpoint URL; check that it is up"),
     SHOP, "store_unreachable", "store"),
    (HandoffError("acme/transactions/as_of=2026-11-30 has not been written; rerun its step"),
     SHOP, "handoff_missing", "acme"),
    # the warehouse
    (UnknownOutcome("load: the connection was lost during COMMIT"), SHOP, "commit_unknown", "warehouse"),
    (WarehouseError(f"the warehouse cannot be reached: {DOWN}; start it with `make up`"),
     SHOP, "warehouse_unreachable", "warehouse"),
    (WarehouseError("a query: terminating connection due to administrator command (SQLSTATE 57P01)"),
     SHOP, "warehouse_unreachable", "warehouse"),
    (WarehouseError('the warehouse cannot be reached: connection to server at "127.0.0.1" failed: FATAL:  '
                    "sorry, too many clients already; start it"),
     SHOP, "connections_exhausted", "warehouse"),
    (by(WarehouseError("the warehouse cannot be reached"), psycopg.OperationalError(REFUSED)),
     SHOP, "warehouse_login_refused", "warehouse"),
    (WarehouseError("load: cannot execute INSERT in a read-only transaction (SQLSTATE 25006)"),
     SHOP, "warehouse_read_only", "warehouse"),
    (WarehouseError("load: permission denied for table x (SQLSTATE 42501); the role lacks a grant"),
     SHOP, "warehouse_denied", "warehouse"),
    (WarehouseError("load: canceling statement due to lock timeout (SQLSTATE 55P03)"),
     SHOP, "warehouse_locked", "warehouse"),
    (MigrationError("the warehouse lacks 2 migrations"), SHOP, "schema_outdated", "warehouse"),
    (LoadRefused("fact_sales: 3 rows break check net_amount"), SHOP, "load_refused", "acme"),
    # results
    (by(PublishError("schema 'crm' of connection acme_crm: cannot connect"),
        psycopg.OperationalError(REFUSED)),
     SHOP, "publish_login_refused", "acme_crm"),
    (PublishError("schema 'crm' of connection acme_crm: deadlock; nothing was changed"),
     SHOP, "publish_unreachable", "acme_crm"),
    (WebhookUnavailable("answered 503"), SHOP, "publish_unreachable", "acme"),
    (TamperedModel("churn model of acme: hash differs"), SHOP, "model_damaged", "acme"),
]  # fmt: skip


@pytest.mark.parametrize(("error", "of", "kind", "resource"), ERRORS, ids=lambda one: str(one)[:60])
def test_an_error_has_its_cause(error: BaseException, of: FirmShape, kind: str, resource: str) -> None:
    cause = cause_of_error(error, of)

    assert (cause.kind.name, cause.resource) == (kind, resource)
    assert cause.place == (KINDS.get(kind) or UNKNOWN).place


def test_forty_errors_are_tested_and_every_kind_of_error_is_among_them() -> None:
    tested = {kind for _, _, kind, _ in ERRORS}

    assert len(ERRORS) >= 40
    assert {kind.name for kind in KINDS.values() if kind.errors} - tested == {"file_question"}


def test_firms_that_share_a_connection_share_a_cause_and_firms_with_files_do_not() -> None:
    error = SourceError("cannot connect")

    shared = {cause_of_error(error, firm(key, conn_id="shop")) for key in ("acme", "boxo")}
    apart = {cause_of_error(error, firm(key)) for key in ("acme", "boxo")}

    assert len(shared) == 1
    assert len(apart) == 2


def raised(error: Exception) -> BaseException:
    """An error raised below a function of ours, ``resource_of``, in code that is not."""

    class Broken:
        firm_key = "acme"

        @property
        def pool(self) -> str:
            raise error

    broken: Any = Broken()
    try:
        cause_of_error(SourceError("permission denied"), broken)
    except Exception as caught:
        return caught
    raise AssertionError


def test_an_unknown_error_is_grouped_by_its_class_and_our_innermost_function() -> None:
    causes = {cause_of_error(raised(ZeroDivisionError(text)), SHOP) for text in ("one", "another")}
    other = cause_of_error(raised(ArithmeticError("one")), SHOP)

    (cause,) = causes
    assert cause.kind is UNKNOWN
    assert cause.resource == "ZeroDivisionError in incidents/causes.py:resource_of"
    assert other != cause


@pytest.mark.parametrize("kind", [*KINDS.values(), UNKNOWN], ids=lambda kind: kind.name)
def test_every_kind_has_a_command_and_reruns_where_its_command_does(kind: Kind) -> None:
    assert kind.command.startswith(("python -m include ", "python -m include.stack "))
    assert kind.rerun in ("", "failed", "extract")
    assert ("resolve {id} --rerun" in kind.command) == bool(kind.rerun)
