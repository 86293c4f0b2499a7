"""Datasets of actions: the inputs of a customer's decision, and the decided action."""

import pyarrow as pa

from include.datasets.contract import COUNT, CUSTOMER_ID, DAY, MONEY, RATE, TEXT, Dataset, Earlier, column

ACTION_CANDIDATES = Dataset(
    name="action_candidates",
    about="One row per customer with a segment, a churn risk and a positive value: the inputs of an action.",
    grain=("customer_id",),
    earlier=(
        Earlier(
            "6f1a02840a9f8d14",
            added={
                "order_count": None,
                "firm_avg_order_value": None,
                "may_contact": None,
                "last_contact_date": None,
                "assigned_date": None,
            },
            required=("churn_risk_category",),
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
            column("assigned_date", DAY, "Day of the last assignment made elsewhere in this quarter."),
        ]
    ),
)

ACTIONS = Dataset(
    name="actions",
    about="One row per customer with a profitable action: the action, the reason, and whether it is chosen.",
    grain=("customer_id",),
    earlier=(
        Earlier(
            "0f0aef52b389dd89",
            added=dict.fromkeys(
                (
                    "holdout_share",
                    "exclusion",
                    "decided_date",
                    "arm",
                    "value_at_stake",
                    "expected_lift",
                    "lift_error",
                    "usual_share",
                )
            ),
        ),
    ),
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
                "Why the customer may not be contacted: unsubscribed, consent_unknown, recently_contacted or "
                "assigned_elsewhere; null: may be contacted.",
            ),
            column(
                "decided_date",
                DAY,
                "Day of the decision, which holds to the end of its quarter; null: not selected.",
            ),
            column(
                "arm",
                TEXT,
                "Group drawn for the quarter: action, holdout (left alone) or business_as_usual (what the "
                "firm does without the plan); null: not selected.",
            ),
            column("value_at_stake", MONEY, "Margin expected in a year on the day of the decision."),
            column("expected_lift", RATE, "Share of value_at_stake that the action is expected to add."),
            column("lift_error", RATE, "Its standard error; null: assumed, never measured."),
            column("usual_share", RATE, "Planned share of business as usual, 0 to 1."),
        ]
    ),
)

ACTION_EFFECTS = Dataset(
    name="action_effects",
    about="One row per action and completed quarter: the effect on margin against the random holdout.",
    grain=("action_code", "quarter_start"),
    schema=pa.schema(
        [
            column("action_code", TEXT, "Action: row of the firm's rules.", required=True),
            column("quarter_start", DAY, "First day of the calendar quarter.", required=True),
            column("treated_customers", COUNT, "Customers who were to get the action.", required=True),
            column("held_out_customers", COUNT, "Customers of its holdout.", required=True),
            column("avg_value_at_stake", RATE, "Mean margin expected in a year, at the decision."),
            column("margin_effect", RATE, "Margin added per customer to the end of the quarter."),
            column("standard_error", RATE, "Standard error of margin_effect."),
        ]
    ),
)
