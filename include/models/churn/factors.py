"""Reasons of churn risk: stable codes with one text each, assigned to features and rules.

A code contains no number of days and no amount, so analysts can group by it. A text names what raises the
score and claims no value of it: a contribution above zero does not mean that a customer's silence is long.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Factor(NamedTuple):
    """A reason for risk: code, text by language, and a pattern of the features assigned to it."""

    code: str
    text: dict[str, str]
    features: str


FACTORS: tuple[Factor, ...] = (
    Factor(
        "service_trouble",
        {"en": "Complaints, tickets or ratings", "tr": "Şikâyetler, destek talepleri veya puanlar"},
        r"complaint_|service_|days_since_last_(service|complaint)|last_(nps|satisfaction)|avg_sentiment",
    ),
    Factor(
        "low_engagement",
        {"en": "Engagement with messages and visits", "tr": "Mesajlara ve ziyaretlere ilgisi"},
        r"engagement|visit_|message_|response|redemption_|campaign_|unsubscribe_|interaction_|avg_session"
        r"|pages_viewed|products_viewed|days_since_(last_(visit|message|response)|first_interaction)",
    ),
    Factor(
        "returns",
        {"en": "Returned goods", "tr": "İadeler"},
        r"return_|days_since_last_return",
    ),
    Factor(
        "loyalty_inactive",
        {"en": "Use of loyalty points", "tr": "Sadakat puanlarının kullanımı"},
        r"points_|movement_|loyalty_|is_loyalty|days_since_(points|last_movement|first_movement)|programme_",
    ),
    Factor(
        "discount_reliance",
        {"en": "Purchases with a discount", "tr": "İndirimli alışverişler"},
        r"discount|max_discount|last_discount",
    ),
    Factor(
        "falling_orders",
        {"en": "Change in how often it orders", "tr": "Alışveriş sıklığındaki değişim"},
        r"(order_count|sale_day_count)_(trend|slope)|order_pace|order_count_\d+_to",
    ),
    Factor(
        "falling_spend",
        {"en": "Change in spending", "tr": "Harcamadaki değişim"},
        r"total_spend_(trend|slope)|total_spend_\d+_to|last_(3_)?order_value_ratio"
        r"|last_over_first|(line|unit)_count_trend",
    ),
    Factor(
        "season",
        {"en": "Season and days of its orders", "tr": "Alışverişlerinin mevsimi ve günleri"},
        r"\w*year_ago|quarter_\d|(early|mid|late)_month|\w+day_share$|weekend_share|as_of_|(morning|afternoon"
        r"|evening|night)_order",
    ),
    Factor(
        "overdue",
        {
            "en": "Time since the last order, against its usual gap",
            "tr": "Son alışverişten bu yana geçen süre, olağan aralığına göre",
        },
        r"silence_over_(avg|median|max)|silence_z|longer_gap",
    ),
    Factor(
        "long_silence",
        {"en": "Time since the last order", "tr": "Son alışverişten bu yana geçen süre"},
        r"days_since_last_order|days_since_order_\d|silence_over_age|recency_|days_since_top"
        r"|days_since_new",
    ),
    Factor(
        "irregular_rhythm",
        {"en": "Length of the gaps between its orders", "tr": "Alışverişleri arasındaki sürelerin uzunluğu"},
        r"\w*days_between_orders|gap_cv|last_gap|avg_order_interval",
    ),
    Factor(
        "short_history",
        {
            "en": "Time since the first order, or a single order",
            "tr": "İlk alışverişten bu yana geçen süre veya tek alışveriş",
        },
        r"age_days|is_one_timer",
    ),
    Factor(
        "few_orders",
        {"en": "Number of orders", "tr": "Sipariş sayısı"},
        r"order_count|sale_day|active_|orders_per|frequency|decayed_order",
    ),
    Factor(
        "small_baskets",
        {"en": "Size of its orders", "tr": "Siparişlerinin büyüklüğü"},
        r"(line|unit)_count|avg_(lines|units)|max_lines|last_order_line|single_line|\w*order_value"
        r"|avg_unit_price|sd_order",
    ),
    Factor(
        "narrow_range",
        {"en": "Range of products it buys", "tr": "Aldığı ürünlerin çeşitliliği"},
        r"product|categor|\w*categor|department|\w*department|brand|top_brand|repeat_product|new_product"
        r"|top_product|known_product",
    ),
    Factor(
        "channel_habits",
        {"en": "Channels and payment methods it uses", "tr": "Kullandığı kanallar ve ödeme yöntemleri"},
        r"channel|\w+_channel|payment|\w+_payment",
    ),
    Factor(
        "low_spend",
        {"en": "Amount spent", "tr": "Harcadığı tutar"},
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
