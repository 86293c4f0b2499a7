"""The firm's directory in a real server: campaigns, channels and programmes follow its latest snapshot."""

from datetime import date

import pytest

from tests.warehouse.engagement_rows import entry

APRIL, MAY, JUNE, JULY = (date(2026, month, 1) for month in (4, 5, 6, 7))
KINDS = ("campaign", "channel", "programme")
SHOWN = (
    "select 'campaign', campaign_id, campaign_name, is_active from analytics.dim_campaign union all "
    "select 'channel', channel_code, channel_name, is_active from analytics.dim_interaction_channel "
    "where channel_code <> '(unknown)' union all "
    "select 'programme', programme_id, program_name, is_active from analytics.dim_program order by 1, 2"
)


def directory(shop, as_of, **names):
    """Load a directory in which each kind has the same codes; every name tells its kind."""
    rows = [entry(kind, code, entry_name=f"{name} {kind}") for kind in KINDS for code, name in names.items()]
    shop.load("dim_campaign", as_of.isoformat(), rows)


@pytest.mark.parametrize("order", [(APRIL, MAY, JUNE), (JUNE, APRIL, MAY), (MAY, JUNE, APRIL)])
def test_every_kind_of_entry_follows_the_latest_directory_in_any_order_of_loads(shop, order):
    said = {
        APRIL: {"gone": "April", "kept": "April"},
        MAY: {"kept": "May"},
        JUNE: {"come": "June", "kept": "June"},
    }

    for as_of in order:
        directory(shop, as_of, **said[as_of])

    assert shop.ask(SHOWN) == [
        row
        for kind in KINDS
        for row in (
            (kind, "come", f"June {kind}", True),
            (kind, "gone", f"April {kind}", False),
            (kind, "kept", f"June {kind}", True),
        )
    ]


def test_a_directory_that_is_corrected_on_its_day_is_believed_and_an_empty_one_leaves_nothing_active(shop):
    directory(shop, JUNE, kept="June")

    directory(shop, JUNE, kept="Corrected")
    corrected = shop.ask(SHOWN)
    directory(shop, JULY)

    assert corrected == [(kind, "kept", f"Corrected {kind}", True) for kind in KINDS]
    assert shop.ask(SHOWN) == [(kind, "kept", f"Corrected {kind}", False) for kind in KINDS]


@pytest.mark.parametrize("order", [(MAY, JUNE), (JUNE, MAY)])
def test_a_kind_that_the_latest_directory_has_none_of_is_active_in_none_of_its_entries(shop, order):
    rows = {
        MAY: [entry(kind, "kept", entry_name=kind) for kind in KINDS],
        JUNE: [entry("campaign", "kept", entry_name="campaign")],
    }

    for as_of in order:
        shop.load("dim_campaign", as_of.isoformat(), rows[as_of])

    active = {(kind, is_active) for kind, _, _, is_active in shop.ask(SHOWN)}
    assert active == {("campaign", True), ("channel", False), ("programme", False)}
