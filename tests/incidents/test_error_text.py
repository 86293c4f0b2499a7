import psycopg
import pytest
from airflow.sdk.exceptions import AirflowFailException

from include.incidents import first_line
from include.quality import QualityError


def test_a_database_error_is_its_code_and_primary_message(postgres_server, warehouse_dsn: str) -> None:
    with psycopg.connect(warehouse_dsn, autocommit=True) as connection:
        connection.execute("create table t (name text unique)")
        connection.execute("insert into t values ('Jane Doe')")
        with pytest.raises(psycopg.Error) as duplicate:
            connection.execute("insert into t values ('Jane Doe')")
        with pytest.raises(psycopg.Error) as mistyped:
            connection.execute("select 'Jane Doe'::int")
        wrapped = RuntimeError(f"loading t: {duplicate.value}")
        wrapped.__cause__ = duplicate.value

    lines = [first_line(error) for error in (duplicate.value, mistyped.value, wrapped)]

    assert lines[0].startswith("UniqueViolation: 23505 duplicate key value violates unique constraint")
    assert lines[1] == 'InvalidTextRepresentation: 22P02 invalid input syntax for type integer: "…"'
    assert lines[2].startswith("RuntimeError: loading t: 23505 duplicate key")
    assert "Jane" not in "".join(lines)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("cannot reach postgresql://bob:hunter2@db/shop", "cannot reach postgresql://***@db/shop"),
        ("login failed, password=hunter2 user=bob", "login failed, password=*** user=bob"),
        ("bad value ann.smith+x@example.co.uk in email", "bad value (e-mail) in email"),
        ("bad phone +44 20 7946 0958", "bad phone (number)"),
        ("bad phone 0532 123 45 67, row 3", "bad phone (number), row 3"),
        ("rows 12 to 4000 as of 2026-11-21", "rows 12 to 4000 as of 2026-11-21"),
        (
            'connection to server at "127.0.0.1", port 37809',
            'connection to server at "127.0.0.1", port 37809',
        ),
        ("no route to 192.168.100.200:5432.", "no route to 192.168.100.200:5432."),
        ("not in 10.20.30.0/24", "not in 10.20.30.0/24"),
        ("the host is 10.200.100.10.", "the host is 10.200.100.10."),
        ("", ""),
    ],
)
def test_secrets_and_contact_data_are_masked_and_hosts_are_not(text: str, line: str) -> None:
    assert first_line(ValueError(text)) == f"ValueError: {line}".removesuffix(": ")


def test_a_long_line_is_truncated() -> None:
    assert len(first_line(ValueError("x" * 5000))) == 300
    assert first_line(OSError("password authentication failed")) == "OSError: password authentication failed"


def test_an_error_shows_what_failed_and_not_the_class_by_which_airflow_ends_a_task():
    with pytest.raises(AirflowFailException) as caught:
        raise AirflowFailException("transactions 2026-11: grain_unique") from QualityError("transactions")

    assert first_line(caught.value) == "transactions 2026-11: grain_unique"
    assert first_line(AirflowFailException()) == "AirflowFailException"
