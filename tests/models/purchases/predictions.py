"""All that a purchase model says of customers, by the functions that the product calls."""

import numpy as np
import pyarrow as pa

from include.models.purchases import model as purchases
from include.models.purchases.likelihood import histories


def predictions(model: purchases.PurchaseModel, batch: pa.RecordBatch) -> dict[str, np.ndarray]:
    """Probabilities and moments over 90 days, and the wait for the next order, in the batch's order."""
    x, t_x, T = histories(batch, model.model)
    ahead = {"horizon_days": 90}
    return {
        "alive_probability": model.alive(x, t_x, T),
        "no_purchase_probability": purchases.none(model, x, t_x, T, **ahead),
        "expected_purchases": purchases.expected(model, x, t_x, T, **ahead),
        "variance_purchases": purchases.variance(model, x, t_x, T, **ahead),
        "next_order_days": purchases.next_order_days(model, x, T, model.alive(x, t_x, T)),
    }
