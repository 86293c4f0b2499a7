"""The sentences of insight as data: one row per sentence, with its conditions and a text per language.

A template names metrics: ``{customers}`` prints a value in its unit, ``{customers|customer|customers}`` the
value with the matching singular or plural noun, ``{revenue_change:size}`` the absolute value, ``{member}``
the name of the sentence's segment. Turkish sentences put no suffix on a number; a noun after a number is
singular.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

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
    member: str = ""  # "largest": the segment with the most customers; else the member of its metrics


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
        "risk", "fact", (When("high_risk_customers", low=1),),
        "{high_risk_customers|active customer is|active customers are} at high risk of leaving "
        "({high_risk_share}); {revenue_at_risk} of the last year's net sales ({revenue_at_risk_share}) "
        "came from them.",
        "Etkin müşterilerden {high_risk_customers} müşteri ({high_risk_share}) yüksek kayıp riski taşıyor; "
        "son bir yılda bu müşterilerden gelen net satış {revenue_at_risk} ({revenue_at_risk_share}).",
    ),
    Sentence(
        "no_risk", "fact", (When("high_risk_customers", high=1),),
        "No active customer is at high risk of leaving.",
        "Etkin müşterilerden hiçbiri yüksek kayıp riski taşımıyor.",
    ),
    Sentence(
        "expected", "fact", (When("expected_margin_year", low=0.01),),
        "Known customers are expected to bring a margin of {expected_margin_year} in the next year.",
        "Bilinen müşterilerden gelecek bir yılda beklenen kâr marjı tutarı {expected_margin_year}.",
    ),
    Sentence(
        "keep_at_risk", "recommendation", (When("revenue_at_risk_share", low=10),),
        "Write to {high_risk_customers|active customer|active customers} at high risk first, those of "
        "highest spend before the others: {revenue_at_risk} a year depends on it.",
        "Önce yüksek risk taşıyan {high_risk_customers} etkin müşteriye ulaşın, en çok harcayanlardan "
        "başlayın: yıllık {revenue_at_risk} buna bağlı.",
    ),
    Sentence(
        "call_cant_lose", "recommendation", (When("segment_customers", low=1, member="cant_lose_them"),),
        "Call {segment_customers|customer|customers} of the segment {member} in person: they were among the "
        "best and have gone quiet.",
        "{member} segmentindeki {segment_customers} müşteriyi bizzat arayın: en iyiler arasındaydılar, "
        "artık sessizler.",
        member="cant_lose_them",
    ),
    Sentence(
        "second_order", "recommendation", (When("one_time_share", low=50),),
        "Give first-time buyers a reason to order again within {period_days|day|days}: "
        "{one_time_share} of customers never did.",
        "İlk kez alışveriş yapanlara {period_days} gün içinde ikinci sipariş için bir neden sunun: "
        "müşterilerin ikinci siparişi hiç vermeyen bölümünün payı {one_time_share}.",
    ),
    Sentence(
        "raise_retention", "recommendation", (When("retention_rate", high=40),),
        "Make keeping customers the first goal: retention is {retention_rate}.",
        "Müşteriyi elde tutmayı ilk hedef yapın: elde tutma oranı {retention_rate}.",
    ),
    Sentence(
        "win_new", "recommendation", (When("new_customers", low=1), When("new_customer_share", high=10)),
        "Look for new customers: they are {new_customer_share} of those who buy.",
        "Yeni müşteri arayın: alışveriş yapanlar arasındaki payları {new_customer_share}.",
    ),
    Sentence(
        "win_first", "recommendation", (When("active_customers", low=1), When("new_customers", high=1)),
        "Look for new customers: nobody new came in the last {period_days|day|days}.",
        "Yeni müşteri arayın: son {period_days} gün içinde yeni müşteri gelmedi.",
    ),
    Sentence(
        "welcome_new", "recommendation", (When("new_customer_share", low=50),),
        "Welcome new customers with a programme of their own: they are {new_customer_share} of those "
        "who buy.",
        "Yeni müşteriler için bir karşılama programı kurun: alışveriş yapanlar arasındaki payları "
        "{new_customer_share}.",
    ),
    Sentence(
        "protect_top", "recommendation", (When("customers", low=100), When("top_tenth_share", low=50)),
        "Look after the few who spend most: a tenth of the buyers bring {top_tenth_share} of net sales.",
        "En çok harcayan az sayıda müşteriyi koruyun: onda birlik bir kesimin net satışlardaki payı "
        "{top_tenth_share}.",
    ),
    Sentence(
        "fewer_returns", "recommendation", (When("return_share", low=10),),
        "Find out why goods come back: returns are {return_share} of sales.",
        "Ürünlerin neden geri geldiğini araştırın: iadelerin satışlara oranı {return_share}.",
    ),
    Sentence(
        "fewer_discounts", "recommendation", (When("discount_share", low=25),),
        "Try smaller discounts on a part of the customers: they take {discount_share} of sales.",
        "Müşterilerin bir bölümünde daha küçük indirimleri deneyin: indirimlerin satışlardaki payı "
        "{discount_share}.",
    ),
)  # fmt: skip

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
