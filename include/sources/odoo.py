"""Read an Odoo database, versions 16 to 19, from its Postgres.

The statements are ``sql/extract/odoo/<dataset>.sql``. Revenue comes from confirmed orders, untaxed and in
the company's currency; posted credit notes are returns; cancelled orders are counted but not used. Columns
that exist only in some versions or modules are read through ``to_jsonb``, so one statement fits all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

import adbc_driver_postgresql.dbapi as adbc

from include import sql_text
from include.datasets import Dataset
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
        """Open nothing yet; ``mapping.company`` is the id or name of the firm's company."""
        super().__init__(firm, connection_uri, scratch=scratch)
        self._company = (firm.source.mapping or {}).get("company")
        self._company_id = 0

    @classmethod
    def check_row(cls, firm: Firm) -> None:
        """SourceRowError unless the row names a connection and only options of this kind."""
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

    def _statement(self, dataset: Dataset, connection: adbc.Connection) -> str:
        """For customers also the blacklist of e-mails, where the login sees that table."""
        rows = super()._statement(dataset, connection)
        if dataset.name != "customers" or "mail_blacklist" not in self._tables(connection):
            return rows
        listed = sql_text.read("extract", self.kind, "customers_mail_blacklist")
        return f"with known_customers as (\n{rows}\n)\n{listed}"

    def _check_tables(self, connection: adbc.Connection) -> None:
        """SourceRowError unless the tables and the firm's company exist, with the firm's currency."""
        super()._check_tables(connection)
        companies = self._fetch(connection, sql_text.read("extract", "odoo", "companies"), {})
        ours = [
            row for row in companies if self._company in (None, str(row["company_id"]), row["company_name"])
        ]
        if len(ours) != 1:
            there_are = {row["company_id"]: row["company_name"] for row in companies}
            raise SourceRowError(
                f"{self._where}: source.mapping.company must name the firm's company; there are {there_are}"
            )
        (company,) = ours
        if company["currency"] != self._firm.currency:
            raise SourceRowError(
                f"{self._where}: company {company['company_name']!r} keeps its books in "
                f"{company['currency']}, but the firm's row has {self._firm.currency}; correct currency"
            )
        self._company_id = company["company_id"]
