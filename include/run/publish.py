"""The publish step: write results to the firm's own database and send changes to its webhook."""

from __future__ import annotations

from include import publishing
from include.connections import connection_uri
from include.modules import ROWS
from include.publishing import webhook
from include.publishing.results import Results
from include.run.context import Context

SNAPSHOTS = {module.name: module.snapshot for module in ROWS if module.snapshot}


def publish(context: Context) -> tuple[int, str]:
    """Write the firm's tables, enqueue changes and send them; an unavailable webhook fails no step."""
    firm, place = context.firm, context.firm.publish
    if place is None:
        return 0, "the firm's row has no target to publish to"
    rows, notes = 0, []
    dsn = context.settings.warehouse_dsn()
    run = publishing.Run(firm.firm_key, context.as_of, context.token)
    with Results(dsn) as results:
        # Without this check, a day that was not computed would delete every customer from the target.
        wanted = [fact for module, fact in SNAPSHOTS.items() if module in firm.modules]
        if missing := results.missing(run, wanted) or ([] if wanted else ["any customer fact"]):
            raise publishing.PublishError(
                f"{run.run_id}: no snapshot of the day in {', '.join(missing)}; run the firm's loads first"
            )
        if place.conn_id is not None:
            target = publishing.open_target(firm, connection_uri)
            with results.of(run) as read:
                rows, left = publishing.publish(target, place.tables, run, read)
            notes.append(left)
    if place.webhook is not None:
        with webhook.Changes(dsn) as box:
            changes = box.enqueue(firm.firm_key, context.as_of)
        rows += changes
        notes.append(f"{changes} changes; {webhook.deliver(firm, context.settings)}")
    note = "; ".join(filter(None, notes))
    context.records.set_module_status(
        firm.firm_key, context.as_of, "publish", True, note or f"{rows} rows published"
    )
    return rows, note
