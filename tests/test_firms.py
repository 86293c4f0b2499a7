"""A firm's row: what is refused, and that no refusal tells a secret."""

import pytest

from include.firms import FirmError, parse_firm

SECRET = "postgresql://shop:hunter2@db.acme.test:5432/shop"
ROW = {
    "firm_key": "acme",
    "name": "Acme",
    "source": {"kind": "postgres", "conn_id": "acme_shop", "schema": "shop"},
    "timezone": "Europe/London",
    "currency": "GBP",
    "working_day_period": 1,
    "churn_threshold_days": 90,
}


def pasted_into(field: str) -> dict:
    """The row with the secret pasted into one field."""
    if field.startswith("source."):
        place = {"kind": "postgres", "conn_id": "acme_shop"} | {field.partition(".")[2]: SECRET}
        return ROW | {"source": place if "uri" not in place else {"kind": "csv", "uri": SECRET}}
    if field.startswith("alerts."):
        return ROW | {"alerts": {field.partition(".")[2]: SECRET}}
    return ROW | {field: [SECRET] if field == "modules" else SECRET}


@pytest.mark.parametrize(
    "field",
    [
        "firm_key", "source.kind", "source.conn_id", "source.schema", "source.layout", "source.uri",
        "source", "timezone", "currency", "working_day_period", "modules", "engine", "language",
        "alerts.webhook", "alerts.slack", "alerts.smtp", "alerts", "rfm", "is_paused",
    ],
)  # fmt: skip
def test_no_message_contains_a_secret_pasted_into_a_field(field):
    with pytest.raises(FirmError) as caught:
        parse_firm(pasted_into(field))

    message = str(caught.value)
    assert field.partition(".")[0] in message
    assert "hunter2" not in message
    assert caught.value.__cause__ is None


def test_a_row_without_faults_is_a_firm():
    firm = parse_firm(ROW)

    assert firm.source.conn_id == "acme_shop"
