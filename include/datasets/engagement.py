"""Datasets of engagement, for sources that have them: events other than sales, campaigns, leads."""

import pyarrow as pa

from include.datasets.contract import (
    COUNT,
    CUSTOMER_ID,
    DAY,
    INSTANT,
    MONEY,
    QUANTITY,
    RATE,
    TEXT,
    Dataset,
    column,
)

SERVICE_ACTIVITIES = ("inquiry", "complaint", "ticket", "feedback", "nps", "session", "login", "browse")
CAMPAIGN_ACTIVITIES = (
    "targeted", "impression", "sent", "opened", "clicked", "unsubscribed", "redemption", "conversion",
    "spend",
)  # fmt: skip
ACTIVITY_TYPES = SERVICE_ACTIVITIES + CAMPAIGN_ACTIVITIES

INTERACTIONS = Dataset(
    name="interactions",
    about="One row per event other than a sale: tickets, complaints, surveys, sessions, e-mails, campaigns.",
    by="month",
    grain=("interaction_id",),
    schema=pa.schema(
        [
            column("interaction_id", TEXT, "The source's own key.", required=True),
            column("activity_type", TEXT, f"One of {', '.join(ACTIVITY_TYPES)}.", required=True),
            column(
                "activity_subtype",
                TEXT,
                "Subtype: for a ticket its step, such as opened or closed; for nps the stage asked about.",
            ),
            column("activity_reference", TEXT, "Reference: ticket, coupon, page, ..."),
            column("occurred_at", INSTANT, "When it happened, UTC.", required=True),
            column("order_date", DAY, "Its day in the firm's time zone.", required=True),
            column("customer_id", TEXT, "The customer; null if not identified."),
            column("channel_code", TEXT, "Channel, by its code."),
            column("campaign_id", TEXT, "Campaign it belongs to."),
            column("event_count", COUNT, "Number of events in the row; above 1 for totals.", required=True),
            column("cost_amount", MONEY, "Cost to the firm; null when unknown."),
            column("session_duration_mins", RATE, "Length in minutes."),
            column("pages_viewed", COUNT, "Pages seen."),
            column("products_viewed", COUNT, "Products seen."),
            column("sentiment_score", RATE, "-1 (bad) to 1 (good)."),
            column(
                "nps_score", pa.int16(), "0 to 10: would they recommend the firm; null without an answer."
            ),
            column("satisfaction_score", RATE, "As the source scales it; higher is better."),
            column("referral_source", TEXT, "Referrer of the event, such as a website."),
        ]
    ),
)

DIRECTORY = Dataset(
    name="directory",
    about="One row per campaign, channel and programme known before as_of: reference data.",
    grain=("kind", "code"),
    schema=pa.schema(
        [
            column("kind", TEXT, "'campaign', 'channel' or 'programme'.", required=True),
            column("code", TEXT, "The source's own key.", required=True),
            column("entry_name", TEXT, "Display name."),
            column("entry_type", TEXT, "Type, as the firm classifies it."),
            column("category", TEXT, "Of a channel: digital, physical, phone or partner."),
            column("channel_code", TEXT, "Of a campaign: the channel it runs on."),
            column("target_segment_code", TEXT, "Of a campaign: the segment it is for."),
            column("start_date", DAY, "Of a campaign: first day."),
            column("end_date", DAY, "Of a campaign: last day."),
            column("budget_amount", MONEY, "Of a campaign: its budget."),
            column("status", TEXT, "Of a campaign: as the source codes it."),
            column("is_online", pa.bool_(), "Of a channel."),
            column("cost_per_interaction", MONEY, "Of a channel: usual cost of one event."),
        ]
    ),
)

LEADS = Dataset(
    name="leads",
    about="One row per lead created before as_of, with its state at as_of.",
    grain=("lead_id",),
    schema=pa.schema(
        [
            column("lead_id", TEXT, "The source's own key.", required=True),
            column("customer_id", TEXT, "The customer it became; null if not converted."),
            column("channel_code", TEXT, "Channel of acquisition."),
            column("campaign_id", TEXT, "Campaign of acquisition."),
            column("referrer_customer_id", TEXT, "Customer who referred it."),
            column("acquisition_source", TEXT, "Acquisition source, as in the source system."),
            column("first_touchpoint", TEXT, "First touchpoint, as in the source system."),
            column("created_date", DAY, "Day the lead was created.", required=True),
            column("first_contact_date", DAY, "Day the firm first contacted it."),
            column("converted_date", DAY, "Day it became a customer."),
            column("touchpoints_count", COUNT, "Contacts before it was converted or lost."),
            column("marketing_cost", MONEY, "Marketing cost of this lead."),
            column("sales_cost", MONEY, "Sales cost of this lead."),
        ]
    ),
)

ASSIGNMENTS = Dataset(
    name="assignments",
    about="One row per assignment of a customer to an action or its control group, made outside the plan.",
    by="month",
    grain=("assignment_id",),
    schema=pa.schema(
        [
            column("assignment_id", TEXT, "The source's own key.", required=True),
            CUSTOMER_ID,
            column("action_code", TEXT, "Action or campaign, as the source names it.", required=True),
            column("occurred_at", INSTANT, "When it was assigned, UTC.", required=True),
            column("order_date", DAY, "Its day in the firm's time zone.", required=True),
            column("is_control", pa.bool_(), "In the control group: does not get the action.", required=True),
            column("control_share", RATE, "Planned share of the control group, 0 to 1; null when unknown."),
            column("cost_amount", MONEY, "Cost of the action for this customer; null when unknown."),
            column("campaign_id", TEXT, "Campaign it belongs to."),
        ]
    ),
)

ACQUISITIONS = Dataset(
    name="acquisitions",
    about="One row per lead, converted or not, and per customer with a sale but no lead.",
    grain=("acquisition_id",),
    schema=pa.schema(
        [
            column("acquisition_id", TEXT, "'lead ' or 'customer ' and its key.", required=True),
            column("lead_id", TEXT, "Lead; null for a customer without one."),
            column("customer_id", TEXT, "Customer; null for a lead that did not convert."),
            column("channel_code", TEXT, "Channel of acquisition."),
            column("campaign_id", TEXT, "Campaign of acquisition."),
            column("referrer_customer_id", TEXT, "Customer who referred it."),
            column("acquisition_source", TEXT, "Acquisition source, as in the source system."),
            column("first_touchpoint", TEXT, "First touchpoint, as in the source system."),
            column("lead_created_date", DAY, "Day the lead was created; null without a lead."),
            column("first_contact_date", DAY, "Day the firm first contacted it."),
            column(
                "conversion_date",
                DAY,
                "Day the lead converted: from the source, else the first order.",
            ),
            column("days_to_convert", pa.int32(), "lead_created_date to conversion_date."),
            column("touchpoints_count", COUNT, "Contacts before it was converted or lost."),
            column(
                "is_acquisition",
                pa.bool_(),
                "True for the row that counts as the customer's acquisition: the first converted lead, or "
                "the row without a lead if the first order came before that lead.",
                required=True,
            ),
            column(
                "acquired_date",
                DAY,
                "Day of acquisition: the earlier of conversion_date and first order.",
            ),
            column("first_order_date", DAY, "First day with a sale, on the row that acquired the customer."),
            column("first_order_value", MONEY, "Sale amount of that day."),
            column("first_order_items", QUANTITY, "Units of that day."),
            column("days_to_first_order", pa.int32(), "lead_created_date to first_order_date."),
            column("acquisition_cost", MONEY, "Marketing and sales cost; null when neither is known."),
            column("marketing_cost_attributed", MONEY, "Marketing cost."),
            column("sales_cost_attributed", MONEY, "Sales cost."),
            *(
                column(
                    f"revenue_{days}_days",
                    MONEY,
                    f"Net spend in the {days} days from acquired_date on; null until they have passed.",
                )
                for days in (30, 90, 365)
            ),
            column("orders_365_days", COUNT, "Orders in the 365 days from acquired_date on; null before."),
            column(
                "cac_payback_days",
                pa.int32(),
                "Days from acquired_date to the first day on which net spend covers acquisition_cost "
                "(customer acquisition cost, CAC); null before that day, or without a cost.",
            ),
        ]
    ),
)
