"""Whom the firm may contact now: why a customer gets no action, or None.

The reasons are tried in order, so each excluded customer has one: an unsubscription weighs more than unknown
consent, and that more than a recent message.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import NamedTuple

UNSUBSCRIBED = "unsubscribed"
CONSENT_UNKNOWN = "consent_unknown"
RECENTLY_CONTACTED = "recently_contacted"
ASSIGNED_ELSEWHERE = "assigned_elsewhere"


class ContactRule(NamedTuple):
    """Whether unknown consent counts as a refusal, and the days without a message before an action."""

    require_consent: bool = False
    contact_gap_days: int = 0


ANYBODY = ContactRule()


def exclusion_of(
    rule: ContactRule,
    *,
    may_contact: bool | None,
    last_contact: date | None,
    as_of: date,
    assigned: date | None = None,
) -> str | None:
    """Why a customer may not be contacted on ``as_of``; None: may be contacted.

    ``may_contact`` None is unknown. ``assigned`` is the day of an assignment made elsewhere in the quarter,
    also to a control group: another action would spoil that test. A message is recent on the
    ``contact_gap_days`` days before ``as_of``.
    """
    if may_contact is False:
        return UNSUBSCRIBED
    if may_contact is None and rule.require_consent:
        return CONSENT_UNKNOWN
    if assigned is not None:
        return ASSIGNED_ELSEWHERE
    if last_contact is not None and last_contact >= as_of - timedelta(days=rule.contact_gap_days):
        return RECENTLY_CONTACTED
    return None
