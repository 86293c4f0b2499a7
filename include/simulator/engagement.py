"""Interactions and marketing of simulated customers: sessions, tickets, surveys and campaigns.

Each table has its own random stream, so a plan with interactions has the same orders as one without.
"""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from include.simulator.behaviour import Floats, Ints
from include.simulator.columns import ids, instants, money, pick
from include.simulator.orders import CLOSING_SECOND, OPENING_SECOND
from include.simulator.plan import Plan

ENGAGEMENT_STREAM = 1_000_003
TYPES = ("session", "browse", "inquiry", "ticket", "complaint", "nps")
SHARES = (0.55, 0.25, 0.08, 0.05, 0.03, 0.04)
STEPS = ("sent", "opened", "clicked", "conversion")  # each is reached by a share of those of the step before
REACHED = (1.0, 0.35, 0.25, 0.2)
CHANNEL_ROWS = (
    ("email", "E-mail", "message", True, 10),
    ("web", "Web shop", "site", True, 0),
    ("phone", "Telephone", "service", False, 500),
)


def directory_of(plan: Plan) -> dict[str, pa.Table]:
    """Channels and campaigns of the firm; none if the plan has neither interactions nor campaigns."""
    if not (plan.interactions_per_customer or plan.campaigns):
        return {}
    starts = [plan.start + timedelta(days=day) for day in _campaign_days(plan)]
    numbers = np.arange(plan.campaigns)
    codes, names, kinds, online, cents = zip(*CHANNEL_ROWS, strict=True)
    return {
        "channels": pa.table(
            {
                "channel_code": list(codes),
                "channel_name": list(names),
                "channel_type": list(kinds),
                "is_online": list(online),
                "cost_per_interaction": money(np.array(cents)),
            }
        ),
        "campaigns": pa.table(
            {
                "campaign_id": ids("CAMPAIGN", numbers, 4),
                "campaign_name": ids("Campaign ", numbers, 4),
                "campaign_type": pa.array(["newsletter"] * plan.campaigns, pa.string()),
                "channel_code": pa.array(["email"] * plan.campaigns, pa.string()),
                "start_date": pa.array(starts, pa.date32()),
                "end_date": pa.array([start + timedelta(days=7) for start in starts], pa.date32()),
                "budget_amount": money(np.full(plan.campaigns, 100_000)),
            }
        ),
    }


def interactions_of(plan: Plan, batch: int, customer: pa.Array, first_at: Floats) -> pa.Table:
    """Interactions of a batch of customers, after their first purchase. ``first_at``: days from the start."""
    rng = np.random.default_rng([plan.seed, ENGAGEMENT_STREAM, batch])
    contacts = _contacts(plan, rng, customer, first_at)
    messages = _messages(plan, rng, customer, first_at)
    both = pa.concat_tables([contacts, messages])
    number = ids(f"I{batch:05d}-", np.arange(both.num_rows), 8)
    return both.add_column(0, "interaction_id", number)


def _contacts(plan: Plan, rng: np.random.Generator, customer: pa.Array, first_at: Floats) -> pa.Table:
    """Sessions, inquiries, tickets and surveys."""
    counts = rng.poisson(plan.interactions_per_customer, len(customer))
    who = np.repeat(np.arange(len(customer)), counts)
    at = first_at[who] + rng.random(len(who)) * (plan.days - first_at[who])
    kind = rng.choice(len(TYPES), len(who), p=SHARES)
    is_survey = kind == TYPES.index("nps")
    score = np.where(is_survey, rng.binomial(10, 0.8, len(who)), 0)
    return _table(
        plan,
        rng,
        customer,
        who,
        at,
        kinds=pa.array(TYPES).take(pa.array(kind)),
        channel=pick(rng, ("web", "phone"), len(who)),
        campaign=pa.nulls(len(who), pa.string()),
        score=pa.array(score, pa.int16(), mask=~is_survey),
    )


def _messages(plan: Plan, rng: np.random.Generator, customer: pa.Array, first_at: Floats) -> pa.Table:
    """Messages of each campaign to the customers of that day: sent, opened, clicked, conversion."""
    who, at, kind, campaign = [], [], [], []
    for number, day in enumerate(_campaign_days(plan)):
        reached = np.flatnonzero(first_at <= day)
        for step, (name, share) in enumerate(zip(STEPS, REACHED, strict=True)):
            reached = reached[rng.random(len(reached)) < share]
            who.append(reached)
            at.append(np.full(len(reached), min(day + step * 0.5, plan.days - 0.5)))
            kind += [name] * len(reached)
            campaign.append(np.full(len(reached), number))
    people: Ints = np.concatenate(who) if who else np.array([], np.int64)
    return _table(
        plan,
        rng,
        customer,
        people,
        np.concatenate(at) if at else np.array([]),
        kinds=pa.array(kind, pa.string()),
        channel=pa.array(["email"] * len(people), pa.string()),
        campaign=ids("CAMPAIGN", np.concatenate(campaign) if campaign else np.array([], np.int64), 4),
        score=pa.nulls(len(people), pa.int16()),
    )


def _campaign_days(plan: Plan) -> list[int]:
    return [round((i + 1) * plan.days / (plan.campaigns + 1)) for i in range(plan.campaigns)]


def _table(
    plan: Plan,
    rng: np.random.Generator,
    customer: pa.Array,
    who: Ints,
    at: Floats,
    *,
    kinds: pa.Array,
    channel: pa.Array,
    campaign: pa.Array,
    score: pa.Array,
) -> pa.Table:
    second = rng.integers(OPENING_SECOND, CLOSING_SECOND, len(who))
    return pa.table(
        {
            "activity_type": kinds,
            "occurred_at": instants(plan, at, second),
            "customer_id": customer.take(pa.array(who)),
            "channel_code": channel,
            "campaign_id": campaign,
            "event_count": pa.array(np.ones(len(who), np.int64)),
            "nps_score": pc.cast(score, pa.int16()),
        }
    )
