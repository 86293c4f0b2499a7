"""The sentences of insight as data: one row per sentence, with its conditions and a text per language.

A template names metrics: ``{customers}`` prints a value in its unit, ``{customers|customer|customers}`` the
value with the matching singular or plural noun, ``{revenue_change:size}`` the absolute value, ``{member}``
the name of the sentence's segment or action. Turkish sentences put no suffix on a number; a noun after a
number is singular.

A sentence needs the history, the modules and the evidence of the metrics that it names (``needs``): without
them these metrics are null, and it is left out. What is expected has its interval in the same sentence, what
is assumed is named in it, and advice is read from the action plan.
"""

from __future__ import annotations

import re
from typing import Literal, NamedTuple

from include import metrics

LANGUAGES = ("en", "tr")
Kind = Literal["headline", "fact", "recommendation"]


class When(NamedTuple):
    """A condition on a metric: ``low <= value < high``. None means no bound. A null value fails."""

    metric: str
    low: float | None = None
    high: float | None = None
    member: str = ""


class Sentence(NamedTuple):
    """One sentence, shown if every condition holds and every cited metric has a value."""

    rule: str
    kind: Kind
    when: tuple[When, ...]
    en: str
    tr: str
    member: str = ""  # "largest": the largest segment; "each action": one sentence per action; or a member


class Needs(NamedTuple):
    """What must be there for a sentence: modules, and least days of history beside or in periods."""

    modules: frozenset[str]
    history_days: int
    history_periods: int


_SLOT = re.compile(r"\{(\w+)")
_WORDS = {"firm", "as_of", "member"}


def needs(sentence: Sentence) -> Needs:
    """The needs of every metric that a sentence cites or whose value is its condition."""
    names = {condition.metric for condition in sentence.when}
    names |= set(_SLOT.findall(sentence.en)) | set(_SLOT.findall(sentence.tr))
    found = [metrics.find(name) for name in sorted(names - _WORDS)]
    return Needs(
        frozenset(metric.module for metric in found) - {""},
        max((metric.history_days for metric in found), default=0),
        max((metric.history_periods for metric in found), default=0),
    )


SENTENCES: tuple[Sentence, ...] = (
    Sentence(
        "nobody", "headline", (When("customers", high=1),),
        "No sale to a known customer before {as_of} is known for {firm}.",
        "{firm} için {as_of} tarihinden önce bilinen bir müşteriye satış kaydı yok.",
    ),
    Sentence(
        "customers", "headline", (When("customers", low=1), When("active_customers", low=1)),
        "{customers|customer|customers} bought from {firm} before {as_of}; {active_customers} of them "
        "({active_share}) bought in the last {period_days|day|days}.",
        "{firm} için {as_of} tarihinden önce {customers} müşterinin alışverişi var; bunlardan "
        "{active_customers} müşteri ({active_share}) son {period_days} gün içinde alışveriş yaptı.",
    ),
    Sentence(
        "customers_gone", "headline", (When("customers", low=1), When("active_customers", high=1)),
        "{customers|customer|customers} bought from {firm} before {as_of}, none of them in the last "
        "{period_days|day|days}.",
        "{firm} için {as_of} tarihinden önce {customers} müşterinin alışverişi var; son {period_days} gün "
        "içinde hiçbiri alışveriş yapmadı.",
    ),
    Sentence(
        "on_record", "headline", (When("history_days", high=365), When("orders", low=1)),
        "The {history_days|day|days} on record hold {orders|order|orders} of known customers and net sales "
        "of {revenue}.",
        "Kayıtlardaki {history_days} günde bilinen müşterilerin {orders} siparişi var; net satış {revenue}.",
    ),
    Sentence(
        "revenue", "headline", (When("orders_year", low=1),),
        "Net sales to known customers in the last year came to {revenue_year} from "
        "{orders_year|order|orders}; the average order was worth {avg_order_value}.",
        "Bilinen müşterilere son bir yılda yapılan net satış {orders_year} siparişle {revenue_year} oldu; "
        "ortalama sipariş tutarı {avg_order_value}.",
    ),
    Sentence(
        "no_revenue", "headline", (When("customers", low=1), When("orders_year", high=1)),
        "No known customer has bought anything in the last year.",
        "Bilinen müşterilerden hiçbiri son bir yılda alışveriş yapmadı.",
    ),
    Sentence(
        "revenue_up", "fact", (When("revenue_change", low=1),),
        "Net sales rose by {revenue_change:size} against the year before.",
        "Net satışlar bir önceki yıla göre {revenue_change:size} arttı.",
    ),
    Sentence(
        "revenue_level", "fact", (When("revenue_change", low=-1, high=1),),
        "Net sales stayed level with the year before.",
        "Net satışlar bir önceki yılla aynı düzeyde kaldı.",
    ),
    Sentence(
        "revenue_down", "fact", (When("revenue_change", high=-1),),
        "Net sales fell by {revenue_change:size} against the year before.",
        "Net satışlar bir önceki yıla göre {revenue_change:size} azaldı.",
    ),
    Sentence(
        "median", "fact", (When("customers", low=2),),
        "The median of what customers have spent in all is {median_spend}; the median time since their "
        "last purchase is {median_days_since_last_order|day|days}.",
        "Müşteri başına toplam harcamanın ortancası {median_spend}; son alışverişten bu yana geçen sürenin "
        "ortancası {median_days_since_last_order} gün.",
    ),
    Sentence(
        "retention", "fact", (When("earlier_customers", low=1), When("retained_customers", low=1)),
        "Retention is {retention_rate}: of {earlier_customers|customer|customers} who bought in the "
        "{period_days|day|days} before, {retained_customers} bought again in the last "
        "{period_days|day|days}.",
        "Elde tutma oranı {retention_rate}: önceki {period_days} gün içinde alışveriş yapan "
        "{earlier_customers} müşteriden {retained_customers} müşteri son {period_days} gün içinde yeniden "
        "alışveriş yaptı.",
    ),
    Sentence(
        "retention_none", "fact", (When("earlier_customers", low=1), When("retained_customers", high=1)),
        "Of {earlier_customers|customer|customers} who bought in the {period_days|day|days} before, none "
        "bought again in the last {period_days|day|days}.",
        "Önceki {period_days} gün içinde alışveriş yapan {earlier_customers} müşteriden hiçbiri son "
        "{period_days} gün içinde yeniden alışveriş yapmadı.",
    ),
    Sentence(
        "one_timers", "fact", (When("one_time_customers", low=1),),
        "{one_time_customers|customer|customers} ({one_time_share}) ordered only once so far.",
        "Şimdiye kadar yalnızca bir sipariş veren {one_time_customers} müşteri var ({one_time_share}).",
    ),
    Sentence(
        "came_back", "fact", (When("one_timer_conversion", low=0.05),),
        "Of first-time buyers, {one_timer_conversion} came back within {period_days|day|days}.",
        "İlk alışverişin ardından {period_days} gün içinde geri gelenlerin oranı {one_timer_conversion}.",
    ),
    Sentence(
        "new_customers", "fact", (When("new_customers", low=1),),
        "{new_customers|customer|customers} bought for the first time in the last {period_days|day|days}: "
        "{new_customer_share} of all who bought then.",
        "Son {period_days} gün içinde {new_customers} müşteri ilk alışverişini yaptı; bu dönemde alışveriş "
        "yapanlar arasındaki payı {new_customer_share}.",
    ),
    Sentence(
        "no_new_customers", "fact", (When("customers", low=1), When("new_customers", high=1)),
        "Nobody bought for the first time in the last {period_days|day|days}.",
        "Son {period_days} gün içinde ilk kez alışveriş yapan müşteri olmadı.",
    ),
    Sentence(
        "concentration", "fact", (When("customers", low=100),),
        "The tenth of the year's buyers who spent most brought {top_tenth_share} of net sales.",
        "Son bir yılda en çok harcayan onda birlik müşteri diliminin net satışlardaki payı "
        "{top_tenth_share}.",
    ),
    Sentence(
        "largest_segment", "fact", (When("segment_customers", low=1, member="largest"),),
        "The largest segment is {member}, with {segment_customers|customer|customers} ({segment_share}).",
        "En büyük segment {member}: {segment_customers} müşteri ({segment_share}).",
        member="largest",
    ),
    Sentence(
        "risk", "fact", (When("expected_leavers", low=0.5), When("spend_at_risk", low=0.01)),
        "{expected_leavers|active customer is|active customers are} expected not to buy in the next "
        "{period_days|day|days}. The sum of each one's chance times the net sales of the last year is "
        "{spend_at_risk}, between {spend_at_risk_low} and {spend_at_risk_high} in nine of ten cases.",
        "Gelecek {period_days} gün içinde alışveriş yapması beklenmeyen etkin müşteri sayısı "
        "{expected_leavers}. Her birinin olasılığı ile son bir yıldaki net satışının çarpımlarının toplamı "
        "{spend_at_risk}; on durumun dokuzunda {spend_at_risk_low} ile {spend_at_risk_high} arasında.",
    ),
    Sentence(
        "expected", "fact", (When("expected_spend_year", low=0.01), When("expected_spend_year_low", low=0)),
        "Known customers are expected to bring net sales of {expected_spend_year} in the next year, between "
        "{expected_spend_year_low} and {expected_spend_year_high} in eight of ten cases.",
        "Bilinen müşterilerden gelecek bir yılda beklenen net satış {expected_spend_year}; on durumun "
        "sekizinde {expected_spend_year_low} ile {expected_spend_year_high} arasında.",
    ),
    Sentence(
        "expected_margin", "fact",
        (When("expected_margin_year", low=0.01), When("expected_spend_year_low", low=0)),
        "At an assumed margin of {margin_share} of net sales, discounted, this is {expected_margin_year}.",
        "Net satışların {margin_share} oranında kâr bıraktığı varsayımıyla, bugüne indirgenmiş kâr marjı "
        "{expected_margin_year}.",
    ),
    Sentence(
        "do_action", "recommendation", (When("action_customers", low=1, member="each action"),),
        "{member}: {action_customers|customer|customers} of the action plan, at a cost of {action_cost}; "
        "assumed benefit in a year {action_benefit}.",
        "{member}: eylem planında {action_customers} müşteri, maliyet {action_cost}; bir yılda varsayılan "
        "fayda {action_benefit}.",
        member="each action",
    ),
)  # fmt: skip

ACTION_NAMES = {
    "personal_call": ("Personal call", "Kişisel arama"),
    "win_back_offer": ("Win-back offer", "Geri kazanma teklifi"),
    "second_order_voucher": ("Voucher for the second order", "İkinci sipariş kuponu"),
    "early_access": ("Early access", "Erken erişim"),
    "reminder_email": ("Reminder by e-mail", "E-posta ile hatırlatma"),
}
"""Names of the standard actions, in the order of LANGUAGES."""

SEGMENT_NAMES = {
    "champions": ("Champions", "Şampiyonlar"),
    "loyal": ("Loyal Customers", "Sadık Müşteriler"),
    "recent": ("Recent Customers", "Yeni Alışveriş Yapanlar"),
    "potential_loyalists": ("Potential Loyalists", "Potansiyel Sadıklar"),
    "promising": ("Promising", "Umut Verenler"),
    "needs_attention": ("Needs Attention", "İlgi Bekleyenler"),
    "about_to_sleep": ("About to Sleep", "Uykuya Dalanlar"),
    "at_risk": ("At Risk", "Risk Altındakiler"),
    "cant_lose_them": ("Cant Lose Them", "Kaybedilmemesi Gerekenler"),
    "hibernating": ("Hibernating", "Uykudakiler"),
    "lost": ("Lost", "Kaybedilenler"),
}
"""Names of the standard segments, in the order of LANGUAGES. A firm's own table has its own names."""
