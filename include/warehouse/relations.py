"""A table or view of the warehouse, and the conditions that select a firm's rows of it."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg import sql


@dataclass(frozen=True)
class Relation:
    """A table or view and its columns, with their types."""

    schema: str
    name: str
    kind: str
    columns: dict[str, str]

    @property
    def full_name(self) -> str:
        """``analytics.fact_sales``."""
        return f"{self.schema}.{self.name}"

    @property
    def identifier(self) -> sql.Identifier:
        """The name, quoted."""
        return sql.Identifier(self.schema, self.name)

    def of_firm(self, firm_key: str, firm_sk: int | None) -> sql.Composable:
        """The condition that a row is the firm's; true where the relation has no column that names a firm."""
        if "firm_sk" in self.columns and firm_sk is not None:
            return sql.SQL("firm_sk = {}").format(sql.Literal(firm_sk))
        if "firm_key" in self.columns:
            return sql.SQL("firm_key = {}").format(sql.Literal(firm_key))
        return sql.SQL("true")

    def of_others(self, firm_key: str, firm_sk: int | None) -> sql.Composable | None:
        """The condition that a row is another firm's; None when the relation names no firm."""
        if "firm_sk" in self.columns and firm_sk is not None:
            return sql.SQL("firm_sk <> {}").format(sql.Literal(firm_sk))
        if "firm_key" in self.columns:
            return sql.SQL("firm_key <> {}").format(sql.Literal(firm_key))
        return sql.SQL("true") if "firm_sk" in self.columns else None
