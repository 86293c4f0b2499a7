"""Meanings and actions of the segments in the languages of a page; their names are in ``insight/text.py``.

The texts of a segment's row are English. Turkish is here, by the English text, so that a changed sentence is
not shown with an old translation. A firm's own table has its own words only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from include.models.insight.text import LANGUAGES, SEGMENT_NAMES
from include.models.segments import UNSCORED


class SegmentText(NamedTuple):
    """What a reader sees of a segment."""

    name: str
    meaning: str
    action: str


TURKISH: dict[str, str] = {
    "Bought lately, three times or more, and more often and for more than most.": (
        "Yakın zamanda, en az üç kez ve çoğundan daha sık ve daha yüksek tutarda alışveriş yaptılar."
    ),
    "Thank them, give early access, ask for reviews and referrals; no discount is needed.": (
        "Teşekkür edin, erken erişim verin, yorum ve tavsiye isteyin; indirime gerek yok."
    ),
    "Bought lately and more than once, as often and for as much as most or more.": (
        "Yakın zamanda ve birden çok kez, en az çoğu kadar sık ve yüksek tutarda alışveriş yaptılar."
    ),
    "Offer the next better product and a loyalty benefit.": ("Bir üst ürünü ve bir sadakat avantajı önerin."),
    "Bought lately; not yet both frequent and large buyers.": (
        "Yakın zamanda alışveriş yaptılar; henüz hem sık hem yüksek tutarda almıyorlar."
    ),
    "Thank them and give a reason for the next order.": (
        "Teşekkür edin ve sonraki sipariş için bir neden sunun."
    ),
    "Bought lately and more than once, for modest or middling amounts.": (
        "Yakın zamanda ve birden çok kez, küçük veya orta tutarda alışveriş yaptılar."
    ),
    "Recommend related products and invite them to the programme.": (
        "İlgili ürünleri önerin ve sadakat programına davet edin."
    ),
    "Bought lately; seldom by this firm's measure, but for as much money as most or more.": (
        "Yakın zamanda alışveriş yaptılar; bu işletmeye göre seyrek, ama en az çoğu kadar yüksek tutarda."
    ),
    "Show the range; a reason for another large order.": (
        "Ürün çeşidini gösterin; bir büyük sipariş daha için neden sunun."
    ),
    "Past their usual time for the next order, but not for long.": (
        "Sonraki siparişin olağan zamanı geçti, ama çok olmadı."
    ),
    "A limited offer built on what they bought before.": (
        "Önceki alışverişlerine dayanan, süreli bir teklif sunun."
    ),
    "Going quiet: silent for one to three of the firm's usual gaps.": (
        "Sessizleşiyorlar: bir ile üç olağan aradır sipariş vermediler."
    ),
    "Remind them with popular products and a small saving.": (
        "Sevilen ürünler ve küçük bir indirimle kendinizi hatırlatın."
    ),
    "Spent as much as most or more; have not bought for long.": (
        "En az çoğu kadar harcadılar; uzun süredir alışveriş yapmadılar."
    ),
    "A personal message and a renewed benefit, soon.": (
        "Kısa sürede kişisel bir ileti ve yenilenmiş bir avantaj gönderin."
    ),
    "Ordered three times or more, and more often and for more than most; have not bought for long.": (
        "En az üç kez, çoğundan daha sık ve daha yüksek tutarda sipariş verdiler; uzun süredir alışveriş "
        "yapmadılar."
    ),
    "Call them; find out what went wrong; win them back in person.": (
        "Arayın; neyin ters gittiğini öğrenin; bizzat geri kazanın."
    ),
    "Silent for more than three of the firm's usual gaps.": (
        "Üç olağan aradan uzun süredir sipariş vermediler."
    ),
    "Low-cost reactivation only.": "Yalnızca düşük maliyetli hatırlatma gönderin.",
    "Lowest on every score; silent for more than four of the firm's usual gaps.": (
        "Her ölçüde en düşük puanlılar; dört olağan aradan uzun süredir sipariş vermediler."
    ),
    "One last message; then leave them in peace.": "Son bir ileti gönderin; sonra rahat bırakın.",
    "Below the firm's minimum spend or orders, or the firm has too few customers to score.": (
        "En düşük harcamanın veya sipariş sayısının altındalar ya da puanlamak için müşteri sayısı az."
    ),
    "None: there is too little to go on.": "Yok: değerlendirmek için bilgi yetersiz.",
}
NAMES = {**SEGMENT_NAMES, UNSCORED: ("Unscored", "Puanlanmayanlar")}


def text_of(row: Mapping[str, Any], language: str) -> SegmentText:
    """Name, meaning and action of a row of segments; the row's own words where there is no translation."""
    own = SegmentText(
        row["segment_name"], row["segment_description"] or "", row["target_marketing_strategy"] or ""
    )
    names = NAMES.get(row["segment_code"])
    if language == "en" or names is None or names[0] != own.name:
        return own
    return SegmentText(
        names[LANGUAGES.index(language)],
        TURKISH.get(own.meaning, own.meaning),
        TURKISH.get(own.action, own.action),
    )
