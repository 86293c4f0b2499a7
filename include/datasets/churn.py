"""What churn hands from step to step: training rows, the model of an anchor, each customer's risk."""

import pyarrow as pa

from include.datasets.contract import CUSTOMER_ID, DAY, Dataset, column
from include.datasets.features import CUSTOMER_FEATURES

CHURN_TRAINING = Dataset(
    name="churn_training",
    about="One row per past cutoff and customer: features before the cutoff, and what then happened.",
    grain=("cutoff", "is_blind", "customer_id"),
    schema=pa.schema(
        [
            column("cutoff", DAY, "Features end before this day; the label begins on it.", required=True),
            column(
                "is_blind",
                pa.bool_(),
                "Computed with everything from the cutoff on taken away; the sentinel's control.",
                required=True,
            ),
            CUSTOMER_ID,
            column("is_churned", pa.bool_(), "No sale in the days of the churn threshold.", required=True),
            *(field for field in CUSTOMER_FEATURES.schema if field.name != "customer_id"),
        ]
    ),
)
