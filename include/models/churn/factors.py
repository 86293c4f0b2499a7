"""Reasons of churn risk: stable codes with one sentence each, assigned to features and rules.

A code contains no number of days and no amount, so analysts can group by it.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Factor(NamedTuple):
    """A reason for risk: code, sentence by language, and a pattern of the features assigned to it."""

    code: str
    text: dict[str, str]
    features: str


FACTORS: tuple[Factor, ...] = (
    Factor(
        "service_trouble",
        {"en": "Complaints, tickets or low ratings", "tr": "Şikâyet, destek talebi veya düşük puan"},
        r"complaint_|service_|days_since_last_(service|complaint)|last_(nps|satisfaction)|avg_sentiment",
    ),
    Factor(
        "low_engagement",
        {"en": "Little engagement lately", "tr": "Son dönemde etkileşimi düşük"},
        r"engagement|visit_|message_|response|redemption_|campaign_|unsubscribe_|interaction_|avg_session"
        r"|pages_viewed|products_viewed|days_since_(last_(visit|message|response)|first_interaction)",
    ),
    Factor(
        "returns",
        {"en": "Returns goods more than usual", "tr": "Olağandan fazla iade yapıyor"},
        r"return_|days_since_last_return",
    ),
    Factor(
        "loyalty_inactive",
        {"en": "Little use of loyalty points", "tr": "Sadakat puanlarını az kullanıyor"},
        r"points_|movement_|loyalty_|is_loyalty|days_since_(points|last_movement|first_movement)|programme_",
    ),
    Factor(
        "discount_reliance",
        {"en": "Buys differently when there is a discount", "tr": "Alışverişi indirime bağlı"},
        r"discount|max_discount|last_discount",
    ),
    Factor(
        "falling_orders",
        {"en": "Orders less often than before", "tr": "Eskisinden daha seyrek alışveriş yapıyor"},
        r"(order_count|sale_day_count)_(trend|slope)|order_pace|order_count_\d+_to",
    ),
    Factor(
        "falling_spend",
        {"en": "Spends less than before", "tr": "Eskisinden daha az harcıyor"},
        r"total_spend_(trend|slope)|total_spend_\d+_to|last_(3_)?order_value_ratio"
        r"|last_over_first|(line|unit)_count_trend",
    ),
    Factor(
        "season",
        {"en": "Usual season or shopping days are not now", "tr": "Alışveriş mevsimi veya günü değil"},
        r"\w*year_ago|quarter_\d|(early|mid|late)_month|\w+day_share$|weekend_share|as_of_|(morning|afternoon"
        r"|evening|night)_order",
    ),
    Factor(
        "overdue",
        {"en": "Later than the customer's own rhythm", "tr": "Kendi alışveriş ritmine göre gecikti"},
        r"silence_over_(avg|median|max)|silence_z|longer_gap",
    ),
    Factor(
        "long_silence",
        {"en": "No order for a long time", "tr": "Uzun süredir alışveriş yapmadı"},
        r"days_since_last_order|days_since_order_\d|silence_over_age|recency_|days_since_top"
        r"|days_since_new",
    ),
    Factor(
        "irregular_rhythm",
        {
            "en": "Long or irregular gaps between orders",
            "tr": "Alışverişleri arasında uzun veya düzensiz aralar",
        },
        r"\w*days_between_orders|gap_cv|last_gap|avg_order_interval",
    ),
    Factor(
        "short_history",
        {"en": "Young or one-time relationship", "tr": "Yeni veya tek seferlik müşteri"},
        r"age_days|is_one_timer",
    ),
    Factor(
        "few_orders",
        {"en": "Buys seldom", "tr": "Seyrek alışveriş yapıyor"},
        r"order_count|sale_day|active_|orders_per|frequency|decayed_order",
    ),
    Factor(
        "small_baskets",
        {"en": "Small orders", "tr": "Küçük sepetler"},
        r"(line|unit)_count|avg_(lines|units)|max_lines|last_order_line|single_line|\w*order_value"
        r"|avg_unit_price|sd_order",
    ),
    Factor(
        "narrow_range",
        {"en": "Buys from a narrow range", "tr": "Dar bir ürün yelpazesinden alıyor"},
        r"product|categor|\w*categor|department|\w*department|brand|top_brand|repeat_product|new_product"
        r"|top_product|known_product",
    ),
    Factor(
        "channel_habits",
        {"en": "Habits of channel or payment", "tr": "Kanal veya ödeme alışkanlıkları"},
        r"channel|\w+_channel|payment|\w+_payment",
    ),
    Factor(
        "low_spend",
        {"en": "Low spending", "tr": "Düşük harcama"},
        r"total_spend|decayed_total|spend_per|sale_amount|first_day_amount|last_day_amount|total_margin|margin_rate",
    ),
)
TEXTS = {factor.code: factor.text for factor in FACTORS}


def code_of(feature: str) -> str:
    """Factor code of a feature: the first of ``FACTORS`` whose pattern matches its start; else KeyError."""
    for factor in FACTORS:
        if re.match(factor.features, feature):
            return factor.code
    raise KeyError(
        f"feature {feature!r} matches no churn factor; add it to a pattern in include/models/churn/factors.py"
    )
