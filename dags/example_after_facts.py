"""An example of a DAG that runs after facts have landed: once for each firm and day, and for no other.

It waits for the segments in `fact_customer_rfm`, and writes what landed into its log and its XCom. It is
built where `make demo` has run. Copy it into your own DAG folder, and replace `landed`.

On Airflow 3.3 a run has one partition, `firm|as_of`. On Airflow 3.2 a run may have the events of several
firms: read firm and day in the `extra` of each.
"""

from include.airflow_version import has_partitions, require_airflow
from include.settings import Settings

require_airflow()

if (Settings.read().home / "demo").is_dir():
    from datetime import UTC, datetime
    from typing import Any

    from airflow.sdk import DAG, get_current_context, task
    from fact_assets import fact_asset

    FACT = fact_asset("fact_customer_rfm")

    def schedule() -> Any:
        """A run per partition, where Airflow has them."""
        if not has_partitions():
            return [FACT]
        from airflow.sdk import PartitionedAssetTimetable

        return PartitionedAssetTimetable(assets=FACT)

    @task(multiple_outputs=False)
    def landed() -> list[dict[str, Any]]:
        """What landed: one row per firm and day."""
        events = get_current_context()["triggering_asset_events"][FACT]
        found = [dict(event.extra) for event in events]
        for one in found:
            print(f"{one['firm']} as of {one['as_of']}: {one['rows']} rows, quality {one['quality']}")
        return found

    with DAG(
        "example_after_facts",
        dag_display_name="Example: after a firm's facts",
        doc_md=__doc__,
        schedule=schedule(),
        start_date=datetime(2020, 1, 1, tzinfo=UTC),
        catchup=False,
        is_paused_upon_creation=False,
        tags=["firmament", "example"],
        default_args={"owner": "firmament"},
    ):
        landed()
