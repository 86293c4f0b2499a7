"""Datasets of churn: training rows, the model of an anchor (training date), each customer's risk.

In training a cutoff, a past day, takes the place of as_of: the features end before it. The label is true if
the customer bought nothing in the ``churn_threshold_days`` from the cutoff on. Calibration turns a model's
score into a probability: of 100 customers with probability 0.3, about 30 churn. Baselines are simple models
that the trees must beat.
"""

import pyarrow as pa

from include.datasets.contract import COUNT, CUSTOMER_ID, DAY, MONEY, RATE, TEXT, Dataset, Earlier, column
from include.datasets.features import CUSTOMER_FEATURES

CHURN_TRAINING = Dataset(
    name="churn_training",
    about="One row per past cutoff and customer: features before the cutoff, and the label after it.",
    by="anchor",
    grain=("cutoff", "is_blind", "customer_id"),
    schema=pa.schema(
        [
            column("cutoff", DAY, "Features end before this day; the label begins on it.", required=True),
            column(
                "is_blind",
                pa.bool_(),
                "Control rows of a leakage check: computed without any data from the cutoff on.",
                required=True,
            ),
            CUSTOMER_ID,
            column("is_churned", pa.bool_(), "No sale in the days of the churn threshold.", required=True),
            *(field for field in CUSTOMER_FEATURES.schema if field.name != "customer_id"),
        ]
    ),
)

CHURN_MODEL = Dataset(
    name="churn_model",
    about="One row per part of an anchor's churn model: trees, calibration, baselines, metrics.",
    by="anchor",
    grain=("part",),
    schema=pa.schema(
        [
            column("part", TEXT, "'header', 'trees', 'calibration', 'metrics', ...", required=True),
            column("body", TEXT, "LightGBM's text for 'trees', JSON for the others.", required=True),
            column(
                "sha256", TEXT, "Hash of part and body; a part with another hash is rejected.", required=True
            ),
        ]
    ),
)

CHURN_RISK = Dataset(
    name="churn_risk",
    about="One row per customer with a sale before as_of: churn probability or score, reasons, action.",
    grain=("customer_id",),
    earlier=(
        Earlier(
            "57f65e8bc0749edd",
            added={
                "no_score_reason": None,
                **{f"order_probability_{days}_days": None for days in (30, 90, 365)},
                "any_order_probability": None,
                **{f"next_order_date_{share}_pct": None for share in (25, 50, 75)},
            },
            required=(
                *("churn_risk_score", "churn_risk_category", "churn_risk_band"),
                *("intervention_priority", "recommended_action", "recommended_action_text"),
            ),
        ),
    ),
    schema=pa.schema(
        [
            CUSTOMER_ID,
            column("days_since_last_order", pa.int32(), "Last sale day to as_of (RFM's R).", required=True),
            column("orders_last_30_days", COUNT, "Orders in the last 30 days.", required=True),
            column("orders_last_90_days", COUNT, "Orders in the last 90 days.", required=True),
            column("spend_last_30_days", MONEY, "Net spend in the last 30 days.", required=True),
            column("spend_last_90_days", MONEY, "Net spend in the last 90 days.", required=True),
            column(
                "order_frequency_trend",
                TEXT,
                "Orders of the last 30 days compared with a third of those of the last 90 days: "
                "'increasing', 'stable' or 'decreasing'; 'inactive' without an order in 90 days.",
                required=True,
            ),
            column("spend_trend", TEXT, "The same for net spend.", required=True),
            column(
                "avg_order_interval_change_pct",
                RATE,
                "Change of the order interval in percent: the mean of the last three gaps between sale days, "
                "compared with the mean of all gaps.",
            ),
            column("returns_count_90_days", COUNT, "Return transactions in the last 90 days.", required=True),
            column(
                "churn_probability",
                RATE,
                "P(no sale in the next churn_threshold_days); null where rules score.",
            ),
            column("churn_risk_score", pa.int32(), "0 to 100; null if the customer is too new."),
            column(
                "churn_risk_category",
                TEXT,
                "'Low', 'Medium', 'High' or 'Critical'; null if no_score_reason is set.",
            ),
            column(
                "churn_risk_band",
                TEXT,
                "'low', 'medium' or 'high', by the firm's two bounds; null if no_score_reason is set.",
            ),
            column(
                "no_score_reason",
                TEXT,
                "'too_new': the first order is under churn.min_tenure_days old, there is no score. "
                "'no_known_outcome': rules score, and no past window shows how many leave, so the score only "
                "ranks. Null otherwise.",
            ),
            column(
                "predicted_churn_date",
                DAY,
                "Day on which the silence reaches the churn threshold; null if not expected to churn.",
            ),
            column(
                "days_until_predicted_churn", pa.int32(), "as_of to that day; negative once it is reached."
            ),
            *(
                column(f"top_churn_factor_{n}", TEXT, f"Code of reason {n} that raises the risk.")
                for n in (1, 2, 3)
            ),
            *(
                column(f"top_churn_factor_{n}_text", TEXT, f"Reason {n} in the firm's language.")
                for n in (1, 2, 3)
            ),
            column("intervention_priority", pa.int8(), "1 to 5; 1 is most urgent. Null without category."),
            column("recommended_action", TEXT, "Code of the recommended action, by risk category."),
            column("recommended_action_text", TEXT, "The same in the firm's language."),
            *(
                column(
                    f"order_probability_{days}_days",
                    RATE,
                    f"P(an order in the next {days} days); null where rules score.",
                )
                for days in (30, 90, 365)
            ),
            column("any_order_probability", RATE, "P(any further order within ten years)."),
            *(
                column(
                    f"next_order_date_{share}_pct",
                    DAY,
                    f"Day by whose end an order has come with {share} percent probability; null if never.",
                )
                for share in (25, 50, 75)
            ),
            column(
                "method",
                TEXT,
                "'lightgbm', 'bgnbd', 'bgnbd_uncalibrated', 'bgnbd_season', 'paretonbd', 'recency' or "
                "'rules'.",
                required=True,
            ),
            column("model_version", TEXT, "Version of the model that scored.", required=True),
        ]
    ),
)
