"""The API: who sees what, pages of lists, tags, and what it answers where there is nothing to show."""

from __future__ import annotations

import json
import re

import httpx
import psycopg
import pytest

from include.console.app import HEADERS, create_app
from include.console.operation_routes import explained
from include.console.reader import Reader
from include.incidents.kinds import KINDS
from include.settings import PROJECT
from tests.console.conftest import HeaderPermissions, as_console, served
from tests.sql.view.test_every_view import OLD, PEOPLE, SUMMER

LISTS = [
    "segments", "rfm-scores", "cohorts", "risk", "factors", "tiers", "scorecards", "metrics", "insight",
    "migrations", "customers", "at-risk", "actions", "actions/customers", "products", "product-stages",
    "next-products", "customer-next",
]  # fmt: skip
SORTS = [
    "total_spend_365_days", "total_spend", "predicted_clv_lifetime", "churn_probability",
    "days_since_last_order", "order_count", "customer_id",
]  # fmt: skip


PLACES = {"dag_id": "firm_acme", "name": "segments", "kind": "csv"}


def paths(ask) -> list[str]:
    """Every path of the OpenAPI document, for the firm acme."""
    document = ask("ann", "openapi.json").json()
    found = [path.format_map(PLACES) for path in document["paths"]]
    assert {method for item in document["paths"].values() for method in item} == {"get"}
    return [path.removeprefix("/api/v1/") for path in found]


def test_a_user_sees_the_own_firms_and_no_count_of_others(ask):
    for user, firms in {"ann": ["acme"], "zoe": ["zeta"], "both": ["acme", "zeta"], "none": []}.items():
        assert [row["firm_key"] for row in ask(user, "firms").json()["firms"]] == firms


def test_no_route_answers_without_a_session_or_for_another_firm(ask):
    found = paths(ask)

    statuses = {path: ask(None, path, customer_id="ann").status_code for path in found}
    others = {
        path: ask("zoe", path, customer_id="ann") for path in found if path.startswith("firms/firm_acme")
    }

    assert len(found) > 20
    assert statuses == dict.fromkeys(found, 401)
    assert {path: answer.status_code for path, answer in others.items()} == dict.fromkeys(others, 403)
    assert not [path for path, answer in others.items() if "rows" in answer.text]
    assert ask(None, "openapi.json").status_code == 401


def test_the_runbook_is_a_page_for_signed_in_users(ask):
    page = ask("none", "../../runbook")

    assert ask(None, "../../runbook").status_code == 401
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in page.headers["content-security-policy"]
    assert '<h2 id="disk-full">disk-full</h2>' in page.text


def test_every_route_answers_with_rows_and_strict_headers(ask):
    for path in paths(ask):
        answer = ask("ann", path, customer_id="ann")

        assert answer.status_code == 200, (path, answer.text)
        assert answer.headers["content-type"] == (
            "text/csv; charset=utf-8" if "exports" in path else "application/json"
        )
        assert all(answer.headers[name] == text for name, text in HEADERS.items())
        assert "zeta" not in answer.text
    for name in LISTS:
        assert ask("ann", f"firms/firm_acme/{name}", customer_id="ann").json()["rows"], name


def test_an_incident_says_what_fixes_it(ask, owner):
    with psycopg.connect(owner) as connection:
        (incident,) = connection.execute(
            "insert into control.incidents (place, kind, resource_name, severity, error) "
            "values ('store', 'disk_full', 'disk', 'critical', 'first') returning incident_id"
        ).fetchone()
        connection.execute(
            "insert into control.incident_firms "
            "(incident_id, firm_key, as_of, task_id, error, log_url, targets, is_quiet) "
            "values (%s, 'acme', '2026-10-15', 'features', 'no space left', '', '{}', false)",
            [incident],
        )

    rows = ask("ann", "firms/firm_acme/incidents").json()["rows"]

    (row,) = [row for row in rows if row["incident_id"] == incident]
    assert (row["title"], row["error"], row["task_ids"]) == (
        "no disk space left",
        "no space left",
        "features",
    )
    assert "Free space" in row["advice"]
    assert row["command"] == f"python -m include incidents resolve {incident} --rerun"
    other = ask("zoe", "firms/firm_zeta/incidents").json()["rows"]
    assert incident not in {row["incident_id"] for row in other}


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_advice_of_every_kind_of_incident_can_be_shown(kind):
    row = {"kind": kind.name, "incident_id": 1, "first_as_of": None, "resource_name": "disk"}

    shown = explained(row, "acme")

    assert not re.search(r"[{}]", shown["title"] + shown["command"])


def test_products_are_listed_by_sales_and_found_by_name(ask):
    rows = ask("ann", "firms/firm_acme/products", limit=1).json()
    every = ask("ann", "firms/firm_acme/products").json()["rows"]
    stages = ask("ann", "firms/firm_acme/product-stages").json()["rows"]

    assert [row["place"] for row in every] == sorted(row["place"] for row in every)
    assert rows["rows"] == every[:1]
    assert sum(row["product_count"] for row in stages) == len(every) > 0
    found = ask("ann", "firms/firm_acme/products", search=every[0]["product_id"].upper()).json()["rows"]
    assert every[0]["product_id"] in {row["product_id"] for row in found}
    assert ask("ann", "firms/firm_acme/products", search="no such").json()["rows"] == []


def test_the_parts_of_a_change_sum_to_the_difference_of_the_two_days(ask, owner):
    """Every kind of customer once; sums are exact."""
    before = {"a": 10, "b": 10, "c": 10, "d": 0, "e": 5}
    after = {"a": "12.10", "b": "7.35", "c": 0, "d": 3, "e": 5, "f": "4.01"}
    with psycopg.connect(owner) as connection:
        (firm,) = connection.execute(
            "select firm_sk from analytics.dim_firm where firm_key = 'acme'"
        ).fetchone()
        kept = connection.execute(
            "select customer_sk, as_of, total_spend_365_days from analytics.fact_customer_rfm "
            "where firm_sk = %s",
            [firm],
        ).fetchall()
        ids = sorted({row[0] for row in kept})
        connection.execute(
            "update analytics.fact_customer_rfm set total_spend_365_days = 1 where firm_sk = %s", [firm]
        )
        for number, name in enumerate(sorted(set(before) | set(after))[: len(ids)]):
            for day, given in ((SUMMER, before), (OLD, after)):
                if name in given:
                    connection.execute(
                        "update analytics.fact_customer_rfm set total_spend_365_days = %s "
                        "where firm_sk = %s and customer_sk = %s and as_of = %s",
                        [given[name], firm, ids[number], day],
                    )
        query = (
            "select sum(total_spend_365_days) filter (where as_of = %s)"
            " - sum(total_spend_365_days) filter (where as_of = %s)"
            " from analytics.fact_customer_rfm where firm_sk = %s"
        )
        connection.execute("update control.loads set loaded_at = loaded_at + interval '1 second'")
        connection.commit()
        days = sorted((SUMMER, OLD))
        (difference,) = connection.execute(query, [days[1], days[0], firm]).fetchone()
        body = ask("ann", "firms/firm_acme/change", as_of=days[1], since=days[0]).json()
        for customer, day, spend in kept:
            connection.execute(
                "update analytics.fact_customer_rfm set total_spend_365_days = %s "
                "where firm_sk = %s and customer_sk = %s and as_of = %s",
                [spend, firm, customer, day],
            )
        connection.execute("update control.loads set loaded_at = loaded_at + interval '1 second'")

    parts = {row["part"]: row for row in body["rows"]}
    assert body["from_as_of"] == days[0].isoformat()
    assert len(parts) >= 4
    assert round(sum(row["spend_change"] for row in parts.values()), 2) == round(float(difference), 2)
    for row in parts.values():
        assert round(row["spend_after"] - row["spend_before"], 2) == round(row["spend_change"], 2)
    assert sum(row["customer_count"] for row in parts.values()) == len(ids)


def test_an_answer_is_what_the_view_has(ask, console_dsn):
    rows = ask("ann", "firms/firm_acme/segments").json()["rows"]

    query = "select to_jsonb(v) - 'firm_key' - 'as_of' from mart.vw_rfm_segment_summary as v"
    assert rows == [row for (row,) in as_console(console_dsn, "acme", query)]


def test_an_answer_of_an_earlier_day_is_that_days(ask):
    new, old = (ask("ann", "firms/firm_acme/metrics", as_of=day).json() for day in (OLD, SUMMER))

    assert (new["as_of"], old["as_of"]) == (OLD.isoformat(), SUMMER.isoformat())
    assert (new["rows"][0]["metric_value"], old["rows"][0]["metric_value"]) == (4, 3)
    assert new["rows"][0]["label"] == "Customers"
    turkish = ask("ann", "firms/firm_acme/metrics", language="tr").json()["rows"][0]
    assert turkish["label"] == "Müşteriler"


@pytest.mark.parametrize("order", ["desc", "asc"])
@pytest.mark.parametrize("sort", SORTS)
def test_the_pages_of_a_list_have_every_customer_once_and_in_order(ask, sort, order):
    seen, after = [], None
    while True:
        given = {"after": after} if after else {}
        page = ask("ann", "firms/firm_acme/customers", sort=sort, order=order, limit=2, **given).json()
        assert len(page["rows"]) <= 2
        seen += page["rows"]
        if (after := page["next"]) is None:
            break

    assert len(seen) == len({row["customer_id"] for row in seen}) == len(PEOPLE) + 3
    known = [row[sort] for row in seen if row[sort] is not None]
    if sort != "customer_id":
        assert known == sorted(known, reverse=order == "desc")
        assert [row[sort] for row in seen[: len(known)]] == known, "customers without a value come last"


def test_filters_agree_with_the_number_of_customers(ask):
    every = ask("ann", "firms/firm_acme/customers").json()
    high = ask("ann", "firms/firm_acme/customers", risk="High").json()
    found = ask("ann", "firms/firm_acme/customers", search="AN").json()

    assert every["total"]["customers"] == len(every["rows"])
    assert 0 < high["total"]["customers"] == len(high["rows"]) < len(every["rows"])
    assert {row["customer_id"] for row in found["rows"]} == {"ann", "dan"}
    assert ask("ann", "firms/firm_acme/customers", segment="No such").json()["total"]["customers"] == 0


def test_a_customer_is_shown_with_history_and_timeline(ask):
    body = ask("ann", "firms/firm_acme/customer", customer_id="ann").json()
    events = ask("ann", "firms/firm_acme/timeline", customer_id="ann", limit=3).json()["rows"]
    earlier = ask(
        "ann", "firms/firm_acme/timeline", customer_id="ann", before=events[-1]["activity_datetime"]
    ).json()["rows"]

    assert body["customer"]["customer_id"] == "ann"
    assert [row["as_of"] for row in body["history"]] == [OLD.isoformat(), SUMMER.isoformat()]
    assert len(events) == 3
    assert earlier
    assert max(row["activity_datetime"] for row in earlier) < events[-1]["activity_datetime"]
    missing = ask("ann", "firms/firm_acme/customer", customer_id="absent")
    assert (missing.status_code, missing.headers["content-type"]) == (404, "application/problem+json")
    assert "example.com" not in json.dumps(body)


def test_an_unchanged_snapshot_is_not_sent_again_and_a_load_changes_the_tag(ask, owner):
    first = ask("ann", "firms/firm_acme/segments")
    tag = first.headers["etag"]

    again = ask("ann", "firms/firm_acme/segments", {"If-None-Match": tag})
    other = ask("zoe", "firms/firm_acme/segments", {"If-None-Match": tag})
    earlier_day = ask("ann", "firms/firm_acme/segments", {"If-None-Match": tag}, as_of=SUMMER)
    with psycopg.connect(owner) as connection:
        connection.execute(
            "update control.loads set loaded_at = loaded_at + interval '1 second' where firm_key = 'acme'"
        )
    reloaded = ask("ann", "firms/firm_acme/segments", {"If-None-Match": tag})

    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 403
    assert (earlier_day.status_code, reloaded.status_code) == (200, 200)
    assert reloaded.json() == first.json()
    assert "private" in first.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "params", "status", "detail"),
    [
        ("firms/firm_acme/segments", {"as_of": "2026-02-30"}, 422, "as_of"),
        ("firms/firm_acme/segments", {"as_of": "2020-01-01"}, 404, "no snapshot as of 2020-01-01"),
        ("firms/firm_acme/customers", {"sort": "1; drop table x"}, 422, "sort"),
        ("firms/firm_acme/customers", {"after": "nonsense"}, 422, "not a cursor"),
        ("firms/firm_acme/customers", {"after": "WyJuYW4iLCAiYSJd" * 50}, 422, "not a cursor"),
        ("firms/firm_acme/customers", {"limit": "100000"}, 422, "limit"),
        ("firms/firm_acme/customers", {"search": "a\x00b"}, 422, "search"),
        ("firms/firm_acme/migrations", {"since": "2026-12-01"}, 404, "no snapshot of"),
        ("no/such/route", {}, 404, "Not Found"),
    ],
)
def test_a_request_that_cannot_be_answered_gets_the_reason(ask, path, params, status, detail):
    answer = ask("ann", path, **params)

    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert detail in answer.json()["detail"]
    assert all(answer.headers[name] == text for name, text in HEADERS.items())


def test_a_quote_in_a_filter_is_a_value(ask):
    for text in ("'; drop table x --", "%", "\\", '"', "<script>", "ı"):
        answer = ask("ann", "firms/firm_acme/customers", search=text, segment=text)

        assert answer.status_code == 200
        assert answer.json()["rows"] == []


def test_a_module_that_is_off_gets_the_setting_that_switches_it_on(ask, owner):
    with psycopg.connect(owner) as connection:
        (modules,) = connection.execute(
            "select modules from control.firms where firm_key = 'zeta'"
        ).fetchone()
        connection.execute(
            "delete from analytics.fact_customer_churn_risk where as_of = %s and firm_sk = "
            "(select firm_sk from analytics.dim_firm where firm_key = 'zeta')",
            [SUMMER],
        )
        connection.execute(  # the stored result of the rows
            "delete from analytics.summary_churn_risk_overview where as_of = %s and firm_sk = "
            "(select firm_sk from analytics.dim_firm where firm_key = 'zeta')",
            [SUMMER],
        )
    empty = ask("zoe", "firms/firm_zeta/risk", as_of=SUMMER).json()
    with psycopg.connect(owner) as connection:
        connection.execute("update control.firms set modules = '{rfm}' where firm_key = 'zeta'")
        connection.execute("update control.loads set loaded_at = loaded_at + interval '1 second'")
    off = ask("zoe", "firms/firm_zeta/risk", as_of=SUMMER).json()
    with psycopg.connect(owner) as connection:
        connection.execute("update control.firms set modules = %s where firm_key = 'zeta'", [modules])

    assert empty["rows"] == off["rows"] == []
    assert "no rows" in empty["nothing"]["reason"]
    assert "off for this firm" in off["nothing"]["reason"]
    assert "modules" in off["nothing"]["action"]


def test_a_firm_without_a_snapshot_gets_the_command_that_runs_it(console_dsn, owner):
    from include.console.problems import NotFoundError
    from include.console.snapshots import of_snapshot

    with psycopg.connect(owner) as connection:
        connection.execute(
            "insert into control.firms (firm_key, name, modules) values ('fresh', 'Fresh', '{rfm}') "
            "on conflict do nothing"
        )
    reader = Reader(lambda: console_dsn, connections=1)

    with pytest.raises(NotFoundError) as raised:
        of_snapshot(reader, None, "firm_fresh", None, lambda shot: {})
    with reader.of({"fresh"}) as session:
        (row,) = session.rows("firms", firm_keys=["fresh"])
    reader.close()

    assert "no snapshot yet" in raised.value.detail
    assert "python -m include run fresh" in raised.value.action
    assert (row["firm_name"], row["as_of"]) == ("Fresh", None)


def test_a_warehouse_that_is_down_or_closed_to_the_console_is_a_problem_with_an_action(console_dsn):
    from include.settings import SettingsError

    def missing() -> str:
        raise SettingsError("no connection 'firmament_console' in Airflow")

    wrong = re.sub(r":[^:@]+@", ":bogus@", console_dsn)
    cases = {
        "postgresql://reader@127.0.0.1:1/none": ("cannot be reached", "make up"),
        wrong: ("authentication failed", "access console"),
        missing: ("no connection 'firmament_console'", "access console"),
    }
    for dsn, (detail, action) in cases.items():
        reader = Reader(dsn if callable(dsn) else lambda dsn=dsn: dsn, connections=1)
        with served(create_app(HeaderPermissions(), reader)) as url:
            answer = httpx.get(f"{url}/api/v1/firms", headers={"x-user": "ann"})
        reader.close()

        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert detail in answer.json()["detail"]
        assert action in answer.json()["action"]
        assert "bogus" not in answer.text


def test_an_older_schema_is_a_problem_with_the_command_that_updates_it(ask, owner):
    with psycopg.connect(owner) as connection:
        connection.execute("alter function mart.clv_tier_summary rename to clv_tier_summary_later")
    try:
        answer = ask("ann", "firms/firm_acme/tiers", as_of=SUMMER)
    finally:
        with psycopg.connect(owner) as connection:
            connection.execute("alter function mart.clv_tier_summary_later rename to clv_tier_summary")

    assert answer.status_code == 503
    assert "older schema" in answer.json()["detail"]
    assert "python -m include migrate" in answer.json()["action"]


def test_the_plugin_imports_neither_fastapi_nor_a_driver():
    import subprocess
    import sys

    code = (
        "import sys, importlib.util; import airflow.plugins_manager; before = set(sys.modules);"
        "spec = importlib.util.spec_from_file_location('console_plugin', 'plugins/console_plugin.py');"
        "module = importlib.util.module_from_spec(spec); spec.loader.exec_module(module);"
        "new = set(sys.modules) - before; plugin = module.ConsolePlugin;"
        "print(sorted(n for n in new if n.split('.')[0] in ('fastapi', 'psycopg', 'sqlalchemy', 'duckdb')));"
        "print(sorted(n for n in new if n.startswith('include')), len(plugin.fastapi_apps))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True,
        env={"PYTHONPATH": str(PROJECT), "AIRFLOW_HOME": "/nonexistent", "PATH": ""},
    )  # fmt: skip

    heavy, ours = done.stdout.splitlines()[-2:]
    assert heavy == "[]"
    assert ours.endswith("1")
    assert "include.console.app" not in ours
