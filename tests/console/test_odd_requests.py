"""Odd values in every parameter of the OpenAPI document: each answer is right or a problem, and never 500."""

from __future__ import annotations

import random

from tests.console.test_api import PLACES

ODD = [
    "", " ", "0", "-1", "1e400", "NaN", "true", "2026-10-15", "0001-01-01", "9999-12-31", "'", '"', "%", "%s",
    "\\", "ı", "\U0001f600", "\ud7ff", "a" * 3000, "$1", ":as_of", "../..", "WyJhIl0", "=1+1", "null", "[]",
    "2026-10-15T00:00:00+99:00", "99999999999999999999",
]  # fmt: skip
REQUESTS_OF_A_PATH = 4


def test_no_odd_value_of_a_parameter_makes_the_server_fail(ask):
    chance = random.Random(13)
    document = ask("ann", "openapi.json").json()
    failed, statuses = {}, set()
    for path, item in document["paths"].items():
        named = [one["name"] for one in item["get"].get("parameters", []) if one["in"] == "query"]
        for _ in range(REQUESTS_OF_A_PATH):
            odd = {name: chance.choice(ODD) for name in chance.sample(named, min(len(named), 2))}
            places = {name: chance.choice([given, "none"]) for name, given in PLACES.items()}
            places["dag_id"] = PLACES["dag_id"]
            answer = ask("ann", path.format_map(places).removeprefix("/api/v1/"), **odd)
            statuses.add(answer.status_code)
            is_problem = answer.headers["content-type"] == "application/problem+json"
            if answer.status_code >= 500 or is_problem != (answer.status_code >= 400):
                failed[path] = (odd, answer.status_code, answer.text[:200])

    assert failed == {}
    assert {200, 404, 422} <= statuses
