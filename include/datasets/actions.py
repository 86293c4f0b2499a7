"""What actions hand from step to step: what each customer is decided on by, and what is decided."""

import pyarrow as pa

from include.datasets.contract import CUSTOMER_ID, MONEY, RATE, TEXT, Dataset, column

ACTION_CANDIDATES = Dataset(
    name="action_candidates",
    about="One row per customer with a segment, a churn risk and a value: what an action is decided by.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("segment_code", TEXT, "RFM segment.", required=True),
            column("churn_risk_category", TEXT, "'Low', 'Medium', 'High' or 'Critical'.", required=True),
            column("value_at_stake", MONEY, "Margin expected in the next 365 days.", required=True),
        ]
    ),
)

ACTIONS = Dataset(
    name="actions",
    about="One row per customer whom some action pays for: the action, why, and whether it is done.",
    grain=("customer_id",),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("action_code", TEXT, "Action: row of the firm's rules.", required=True),
            column("cost_amount", MONEY, "Cost of doing it for this customer.", required=True),
            column(
                "expected_benefit_amount", MONEY, "Margin it is expected to add in a year.", required=True
            ),
            column("roi", RATE, "Benefit less cost, over cost; null where it costs nothing."),
            column(
                "is_holdout",
                pa.bool_(),
                "Drawn at random to be left alone, so that the effect can be measured.",
                required=True,
            ),
            column("is_chosen", pa.bool_(), "To be done: within the budget and not held out.", required=True),
            column("explanation", TEXT, "Why, in the firm's language.", required=True),
        ]
    ),
)
