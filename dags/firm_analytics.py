"""One DAG per firm, one task per step: a loop over the registry and over ``include/steps.py``.

The registry file is all that is read here, so parsing opens no connection. What decides a firm's numbers
(thresholds, the source's address) is read when a task runs.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import DAG, CronDataIntervalTimetable, Param, get_current_context, get_parsing_context, task
from airflow.sdk.exceptions import AirflowFailException

from include.alerts import alert_of_run, alert_of_task
from include.firms import FirmError, FirmShape
from include.registry import standing_firms
from include.runbook import dag_page, step_page
from include.schedule import AsOfError, as_of_of_run, cron, is_scheduled
from include.settings import Settings
from include.steps import Step, steps_for, upstream

START = datetime(2020, 1, 1, tzinfo=UTC)  # fixed, or every parse would make a new version of the DAG
RUN_TIMEOUT = timedelta(hours=20)  # one run at a time: a stuck one must end before the next day's
RETRY_DELAY = {"extract": timedelta(minutes=2), "load": timedelta(minutes=1)}  # others' systems need longer
SHORT_RETRY_DELAY = timedelta(seconds=20)
LONGEST_RETRY_DELAY = timedelta(minutes=30)

AS_OF = Param(
    None,
    type=["null", "string"],
    format="date",
    title="as of",
    description="Nothing on or after this day is seen. Empty: the end of the run's interval, or today.",
)


def timetable(firm: FirmShape) -> Any:
    """The firm's schedule, by intervals: a run's as_of is the end of its own."""
    if not is_scheduled(firm):
        return None
    if expression := cron(firm):
        return CronDataIntervalTimetable(expression, timezone=firm.timezone)
    from firmament_plugin import EveryDays

    return EveryDays(firm.working_day_period, hour=firm.schedule_hour, zone=firm.timezone)


def firm_dag(firm: FirmShape) -> DAG:
    """A firm's DAG: its steps, each after those it waits for."""
    steps = steps_for(firm.modules)
    with DAG(
        dag_id(firm),
        dag_display_name=firm.name,
        description=f"Customer analytics of {firm.name}",
        doc_md=dag_page(firm),
        schedule=timetable(firm),
        start_date=START,
        catchup=False,
        is_paused_upon_creation=False,
        max_active_runs=1,
        dagrun_timeout=RUN_TIMEOUT,
        tags=["firmament", f"firm:{firm.firm_key}", firm.source_kind],
        default_args={"owner": firm.owner},
        on_failure_callback=alert_of_run(firm),
    ) as dag:
        tasks = {step.name: step_task(firm, step) for step in steps}
        for step in steps:
            for name in upstream(step, steps):
                tasks[name] >> tasks[step.name]
    # Last: every task takes a copy of what is there, and to serialise it checks the copy's schema twice,
    # which for forty tasks was most of a parse. A run has the DAG's parameters without.
    dag.params["as_of"] = AS_OF
    return dag


def step_task(firm: FirmShape, step: Step) -> Any:
    """One step as a task: everything it does is ``run_step``, so that a rerun by hand is the same."""

    @task(
        task_id=step.name,
        multiple_outputs=False,
        doc_md=step_page(firm, step),
        pool=firm.pool if step.kind == "extract" else None,
        retries=step.retries,
        retry_delay=RETRY_DELAY.get(step.kind, SHORT_RETRY_DELAY),
        retry_exponential_backoff=2,
        max_retry_delay=LONGEST_RETRY_DELAY,
        execution_timeout=timedelta(minutes=step.timeout_minutes),
        on_failure_callback=alert_of_task(firm),
    )
    def run() -> dict[str, Any]:
        from include.faults import die_with_parent
        from include.run import run_step
        from include.run.validate import GateError

        # A supervisor that is killed would leave this process working, beside the retry.
        die_with_parent()
        try:
            as_of = as_of_of_run(get_current_context(), firm.timezone)
            outcome = run_step(step, firm.firm_key, as_of)
        except (AsOfError, FirmError, GateError) as error:
            # A retry meets the same input and only delays the message. Every other error is retried.
            raise AirflowFailException(str(error)) from error
        return {
            "as_of": as_of.isoformat(),
            "rows": outcome.rows,
            "seconds": round(outcome.seconds, 1),
            "note": outcome.note,
        }

    return run()


def dag_id(firm: FirmShape) -> str:
    """``firm_acme``: stable, so that a firm keeps its history."""
    return f"firm_{firm.firm_key}"


# A worker names the one DAG it needs; building the others would cost it seconds a task.
wanted = get_parsing_context().dag_id
for one in standing_firms(Settings.read().registry):
    if wanted in (None, dag_id(one)):
        firm_dag(one)
