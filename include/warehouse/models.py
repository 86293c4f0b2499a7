"""Promotion results, manual overrides and drift of models, in ``control``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from include.warehouse.session import Part, Row


class Models(Part):
    """Promotion results, manual overrides and drift of a firm's models."""

    def promotion_result(self, firm_key: str, module: str, anchor: date) -> list[Row]:
        """The promotion result of an anchor: its candidates, latest first; empty before it is evaluated."""
        return self._session.rows(
            "select contender_anchor, model_version, is_scoring, reason from control.model_gates "
            "where firm_key = %s and module = %s and anchor = %s order by contender_anchor desc",
            [firm_key, module, anchor],
        )

    def record_promotion_result(
        self, firm_key: str, module: str, anchor: date, candidates: Sequence[Mapping[str, Any]]
    ) -> None:
        """Replace an anchor's promotion result: per candidate one row of ``control.model_gates``."""
        with (
            self._session.clear_errors(f"gate of {module} of {firm_key}"),
            self._session.connection.transaction(),
        ):
            self._session.connection.execute(
                "delete from control.model_gates where firm_key = %s and module = %s and anchor = %s",
                [firm_key, module, anchor],
            )
            with self._session.connection.cursor() as cursor:
                cursor.executemany(
                    "insert into control.model_gates (firm_key, module, anchor, contender_anchor, "
                    "model_version, method, is_scoring, error, error_name, margin, cutoff, reason) "
                    "values (%(firm_key)s, %(module)s, %(anchor)s, %(contender_anchor)s, "
                    "%(model_version)s, %(method)s, %(is_scoring)s, %(error)s, %(error_name)s, "
                    "%(margin)s, %(cutoff)s, %(reason)s) "
                    # Two runs of one anchor compute the same result; either may write it first.
                    "on conflict (firm_key, module, anchor, contender_anchor) do nothing",
                    [{"firm_key": firm_key, "module": module, "anchor": anchor, **row} for row in candidates],
                )

    def decision(self, firm_key: str, module: str, *, as_of: date, anchor: date) -> Row | None:
        """The latest override in force on ``as_of`` for the period of ``anchor``, if any."""
        found = self._session.rows(
            "select anchor, from_as_of, decided_by, decided_at, why from control.model_decisions "
            "where firm_key = %s and module = %s and replaces_anchor = %s and from_as_of <= %s "
            "order by decision_id desc limit 1",
            [firm_key, module, anchor, as_of],
        )
        return found[0] if found else None

    def decide(
        self,
        firm_key: str,
        module: str,
        *,
        replaces_anchor: date,
        from_as_of: date,
        anchor: date,
        decided_by: str,
        why: str,
    ) -> None:
        """Record an override: from ``from_as_of`` to the next anchor the model of ``anchor`` scores."""
        with self._session.clear_errors(f"decision on {module} of {firm_key}"):
            self._session.connection.execute(
                "insert into control.model_decisions "
                "(firm_key, module, replaces_anchor, from_as_of, anchor, decided_by, why) "
                "values (%s, %s, %s, %s, %s, %s, %s)",
                [firm_key, module, replaces_anchor, from_as_of, anchor, decided_by, why],
            )

    def decisions(self, firm_key: str) -> list[Row]:
        """Every override of a firm's models, in the order in which they were made."""
        return self._session.rows(
            "select module, replaces_anchor, from_as_of, anchor, decided_by, decided_at, why "
            "from control.model_decisions where firm_key = %s order by decision_id",
            [firm_key],
        )

    def models(self, firm_key: str) -> list[Row]:
        """A firm's current models, each with the promotion result at its own anchor."""
        return self._session.rows(
            "select models.module, models.anchor, models.model_version, models.method, models.challenger, "
            "models.is_sufficient, models.reason, gates.reason as promotion_reason from control.models "
            "left join control.model_gates as gates on gates.firm_key = models.firm_key "
            "and gates.module = models.module and gates.anchor = models.anchor "
            "and gates.contender_anchor = models.anchor "
            "where models.firm_key = %s and models.is_standing order by models.module, models.anchor",
            [firm_key],
        )

    def drifted(self) -> list[Row]:
        """The latest snapshot of each firm and module, where customers have drifted: ``psi``, feature."""
        return self._session.rows(
            """
            select *
            from (
                select distinct on (firm_key, module)
                    firm_key,
                    module,
                    as_of,
                    has_shifted,
                    most_shifted_feature,
                    greatest(score_psi, feature_psi) as psi
                from control.vw_model_drift
                order by
                    firm_key,
                    module,
                    as_of desc
            ) as latest
            where has_shifted
            order by
                firm_key,
                module
            """
        )

    def record_drift(
        self,
        firm_key: str,
        module: str,
        as_of: date,
        model_version: str,
        variables: Sequence[Mapping[str, Any]],
    ) -> None:
        """Replace a snapshot's drift, one row per variable."""
        key = {"firm_key": firm_key, "module": module, "as_of": as_of, "model_version": model_version}
        with (
            self._session.clear_errors(f"drift of {module} of {firm_key}"),
            self._session.connection.transaction(),
        ):
            self._session.connection.execute(
                "delete from control.model_drift "
                "where firm_key = %(firm_key)s and module = %(module)s and as_of = %(as_of)s",
                key,
            )
            with self._session.connection.cursor() as cursor:
                cursor.executemany(
                    "insert into control.model_drift (firm_key, module, as_of, variable_name, is_score, "
                    "model_version, psi, training_customers, customers) "
                    "values (%(firm_key)s, %(module)s, %(as_of)s, %(variable_name)s, %(is_score)s, "
                    "%(model_version)s, %(psi)s, %(training_customers)s, %(customers)s) "
                    "on conflict (firm_key, module, as_of, variable_name) do update set psi = excluded.psi, "
                    "is_score = excluded.is_score, model_version = excluded.model_version, "
                    "training_customers = excluded.training_customers, customers = excluded.customers",
                    [{**key, **row} for row in variables],
                )
