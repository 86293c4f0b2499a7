"""An Odoo database, versions 16 to 19, read from its Postgres as ``postgres`` reads a shop.

The statements are ``sql/extract/odoo/<dataset>.sql``. Revenue is what confirmed orders say, untaxed
and in the company's currency; posted credit notes are returns; cancelled orders are counted and not
used. Columns that only some versions or modules have are looked up row by row, so that one text
reads every version.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc

from include import sql_text
from include.firms import Firm
from include.periods import Month
from include.sources import SourceRowError
from include.sources.postgres import Postgres

OPTIONS = ("company",)
LANGUAGES = {"en": "en_US", "tr": "tr_TR"}


class Odoo(Postgres):
    """The source of a firm whose row says ``kind: odoo``: one company of the database."""

    kind = "odoo"
    fields = ("conn_id", "schema", "mapping")
    required_tables = (
        "sale_order",
        "sale_order_line",
        "sale_order_line_invoice_rel",
        "account_move",
        "account_move_line",
        "res_partner",
        "res_users",
        "res_company",
        "res_currency",
        "res_country",
        "product_product",
        "product_template",
        "product_category",
    )
    optional_tables: Mapping[str, tuple[str, ...]] = {"loyalty_movements": ("loyalty_history",)}

    def __init__(
        self, firm: Firm, connection_uri: Callable[[str], str], *, scratch: Path | None = None
    ) -> None:
        """Nothing is opened yet; ``mapping.company`` is the id or name of the firm's company."""
        super().__init__(firm, connection_uri, scratch=scratch)
        self._company = (firm.source.mapping or {}).get("company")
        self._company_id = 0

    @classmethod
    def check_row(cls, firm: Firm) -> None:
        """SourceRowError unless the row names a connection, and nothing but options of this kind."""
        super().check_row(firm)
        if unknown := sorted(set(firm.source.mapping or {}) - set(OPTIONS)):
            raise SourceRowError(
                f"firm {firm.firm_key}, odoo source: mapping names unknown options {unknown}; "
                f"there are {list(OPTIONS)}"
            )

    def binds(self, month: Month | None, as_of: date | None) -> dict[str, object]:
        """Those of a shop in Postgres, the company's id, and the firm's language as Odoo names it."""
        language = LANGUAGES[self._firm.language]
        return super().binds(month, as_of) | {"company_id": self._company_id, "language": language}

    def _look(self, connection: adbc.Connection) -> None:
        """SourceRowError unless the tables are there, and the firm's company with the firm's currency."""
        super()._look(connection)
        companies = self._fetch(connection, sql_text.read("extract", "odoo", "companies"), {})
        ours = [
            row for row in companies if self._company in (None, str(row["company_id"]), row["company_name"])
        ]
        if len(ours) != 1:
            there_are = {row["company_id"]: row["company_name"] for row in companies}
            raise SourceRowError(
                f"{self._place}: source.mapping.company must say which company is the firm's; "
                f"there are {there_are}"
            )
        (company,) = ours
        if company["currency"] != self._firm.currency:
            raise SourceRowError(
                f"{self._place}: company {company['company_name']!r} keeps its books in "
                f"{company['currency']}, the firm's row says {self._firm.currency}; correct currency"
            )
        self._company_id = company["company_id"]
