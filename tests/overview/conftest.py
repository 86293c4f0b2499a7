"""A firm whose handoffs are written by hand, and the result that is made of them."""

from __future__ import annotations

import itertools
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from include.datasets.actions import ACTIONS
from include.datasets.churn import CHURN_RISK
from include.datasets.computed import CUSTOMER_DAYS, CUSTOMER_SUMMARY, RFM, SEGMENTS
from include.datasets.extracted import PRODUCTS, TRANSACTIONS
from include.datasets.next_product import NEXT_PRODUCTS
from include.datasets.value import LTV
from include.engines import open_engine
from include.models.segments import SEGMENTS as STANDARD
from include.overview.result import Result, write_result
from include.periods import Month
from include.report.reading import Reading
from tests.report.conftest import AS_OF, Left

HOSTILE = "<img src=x onerror=alert(1)>\"&'{customers}"


class Shop(Left):
    """What the steps left of a shop: one order a customer unless a test says otherwise."""

    def sells(self, customer: str | None, day: date, amount: str, *, orders: int = 1) -> dict:
        """A line of a sale."""
        return {
            "transaction_id": f"{customer}-{day}-{amount}",
            "kind": "sale",
            "customer_id": customer,
            "order_date": day,
            "net_amount": Decimal(amount),
        }

    def with_sales(self, *sales: dict) -> None:
        """The lines, and the customer days and summaries that follow from them."""
        months: dict[Month, list[dict]] = {}
        days: dict[tuple[str, date], list[dict]] = {}
        for number, sale in enumerate(sales):
            sale = sale | {"line_id": str(number)}
            months.setdefault(Month.of(sale["order_date"]), []).append(sale)
            if sale["customer_id"]:
                days.setdefault((sale["customer_id"], sale["order_date"]), []).append(sale)
        for month, rows in months.items():
            self.put(TRANSACTIONS, *rows, month=month)
        self.put(
            CUSTOMER_DAYS,
            *(
                {
                    "customer_id": customer,
                    "order_date": day,
                    "order_count": len(rows),
                    "sale_amount": sum(row["net_amount"] for row in rows),
                    "net_amount": sum(row["net_amount"] for row in rows),
                }
                for (customer, day), rows in days.items()
            ),
        )
        self.put(CUSTOMER_SUMMARY, *(self._summary(c, days) for c in sorted({c for c, _ in days})))

    def _summary(self, customer: str, days: dict[tuple[str, date], list[dict]]) -> dict:
        own = sorted(day for of, day in days if of == customer)
        amounts = [row["net_amount"] for (of, _), rows in days.items() if of == customer for row in rows]
        gaps = [(b - a).days for a, b in itertools.pairwise(own)]
        return {
            "customer_id": customer,
            "first_order_date": own[0],
            "last_order_date": own[-1],
            "days_since_last_order": (AS_OF - own[-1]).days,
            "frequency": len(own) - 1,
            "age_days": (AS_OF - own[0]).days,
            "order_count": len(amounts),
            "total_spend": sum(amounts),
            "avg_days_between_orders": sum(gaps) / len(gaps) if gaps else None,
        }

    def with_segments(self, *, spend: dict[str, str] | None = None, **segment_of: str) -> None:
        """A segment and the scores 5 5 5 for each customer, who spent 10 or what ``spend`` says."""
        rows = [
            {
                "segment_code": segment.segment_code,
                "segment_name": segment.segment_name,
                "segment_description": segment.segment_description,
                "target_marketing_strategy": segment.target_marketing_strategy,
                "segment_type": "rfm",
                "usual_gap_days": 30.0,
            }
            for segment in STANDARD
        ]
        self.put(SEGMENTS, *rows)
        scored = {"recency_score": 5, "frequency_score": 5, "monetary_score": 5, "rfm_score": "555"}
        self.put(
            RFM,
            *(
                {
                    "customer_id": customer,
                    "segment_code": code,
                    "total_spend": Decimal((spend or {}).get(customer, "10")),
                    **scored,
                }
                for customer, code in segment_of.items()
            ),
        )

    def with_value(self, *, horizon: str | None = None, **value_of: str) -> None:
        """A value of the next year, with an interval that does not hold it, from an assumed margin.

        ``horizon``: spend that each customer is expected to bring in 180 days.
        """
        nearer = {"expected_spend_horizon": Decimal(horizon), "spend_horizon_days": 180} if horizon else {}
        self.put(
            LTV,
            *(
                {
                    "customer_id": customer,
                    "expected_spend_1_year": 2 * Decimal(value),
                    "predicted_clv_1_year": Decimal(value),
                    "predicted_clv_1_year_low": Decimal(0),
                    "predicted_clv_1_year_high": Decimal(0),
                    "spend_deviation_1_year": 1.0,
                    "total_doubt_1_year": 0.1,
                    "total_reach": 1.5,
                    "margin_source": "setting",
                    "method": "bgnbd",
                    **nearer,
                }
                for customer, value in value_of.items()
            ),
        )

    def with_suggestions(self, *rows: tuple[str, int, str, str, date | None]) -> None:
        """Suggested products as (customer, rank, kind, product, due date); one product has a name."""
        self.put(PRODUCTS, {"product_id": "p1", "product_name": "=Green tea"})
        self.put(
            NEXT_PRODUCTS,
            *(
                {
                    "customer_id": customer,
                    "product_rank": rank,
                    "kind": kind,
                    "product_id": product,
                    "due_date": due,
                }
                for customer, rank, kind, product, due in rows
            ),
        )

    def with_chances(self, **chance_of: float | None) -> None:
        """A chance of leaving, or a score by rules where it is None."""
        self.put(
            CHURN_RISK,
            *(
                {
                    "customer_id": customer,
                    "churn_probability": chance,
                    "churn_risk_score": 90,
                    "churn_risk_category": "Critical",
                    "top_churn_factor_1_text": "Long silence",
                    "method": "rules" if chance is None else "recency",
                }
                for customer, chance in chance_of.items()
            ),
        )

    def with_actions(self, **action_of: str) -> None:
        """A chosen action for each customer."""
        self.put(
            ACTIONS,
            *(
                {"customer_id": customer, "action_code": code, "is_chosen": True, "explanation": "Because."}
                for customer, code in action_of.items()
            ),
        )

    def result(self, out: Path, *, language: str = "en", name: str = "sales.csv", **more: object) -> Result:
        """The page and the lists."""
        firm = self.firm.model_copy(update={"language": language, "name": name})
        engine = open_engine("duckdb", memory_mb=256, threads=1, scratch=self.scratch)
        return write_result(Reading(firm, AS_OF, self.handoff, engine), out, stem="sales", **more)


@pytest.fixture
def shop(tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Shop((tmp_path / "handoffs").as_uri(), scratch)
