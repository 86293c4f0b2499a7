"""Datasets of actions: the inputs of a customer's decision, and the decided action."""

import pyarrow as pa

from include.datasets.contract import COUNT, CUSTOMER_ID, DAY, MONEY, RATE, TEXT, Dataset, Earlier, column

ACTION_CANDIDATES = Dataset(
    name="action_candidates",
    about="One row per customer with a segment, a churn risk and a positive value: the inputs of an action.",
    grain=("customer_id",),
    earlier=(
        Earlier("c22603d4d1bd044e"),
        Earlier("f5ed79e542925f58", added={"may_contact": None, "last_contact_date": None}),
        Earlier(
            "6f1a02840a9f8d14",
            added={
                "order_count": None,
                "firm_avg_order_value": None,
                "may_contact": None,
                "last_contact_date": None,
            },
        ),
    ),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("segment_code", TEXT, "RFM segment.", required=True),
            column("churn_risk_category", TEXT, "'Low', 'Medium', 'High' or 'Critical'; null without one."),
            column("value_at_stake", MONEY, "Margin expected in the next 365 days.", required=True),
            column("order_count", COUNT, "Orders, lifetime."),
            column("firm_avg_order_value", RATE, "The firm's sale amount per order, lifetime."),
            column(
                "may_contact",
                pa.bool_(),
                "Whether offers may be sent: false after an unsubscription, else as the source says.",
            ),
            column("last_contact_date", DAY, "Day of the last campaign message before as_of; null: none."),
        ]
    ),
)

ACTIONS = Dataset(
    name="actions",
    about="One row per customer with a profitable action: the action, the reason, and whether it is chosen.",
    grain=("customer_id",),
    earlier=(Earlier("0f0aef52b389dd89", added={"holdout_share": None, "exclusion": None}),),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("action_code", TEXT, "Action: row of the firm's rules.", required=True),
            column("cost_amount", MONEY, "Cost of the action for this customer.", required=True),
            column(
                "expected_benefit_amount", MONEY, "Margin it is expected to add in a year.", required=True
            ),
            column("roi", RATE, "(benefit - cost) / cost; null where the cost is 0."),
            column(
                "is_holdout",
                pa.bool_(),
                "In the random holdout: not treated, so that the effect can be measured.",
                required=True,
            ),
            column(
                "is_chosen",
                pa.bool_(),
                "To be carried out: within the budget and not in the holdout.",
                required=True,
            ),
            column("explanation", TEXT, "Reason, in the firm's language.", required=True),
            column("holdout_share", RATE, "Planned share of the holdout, 0 to 1."),
            column(
                "exclusion",
                TEXT,
                "Why the customer may not be contacted: unsubscribed, consent_unknown or recently_contacted; "
                "null: may be contacted.",
            ),
        ]
    ),
)
