"""Builds the DAG of a firm: one task per stage of ``include/steps.py``, or three tasks (``dag_shape``).

The files ``firms_1_of_8.py`` to ``firms_8_of_8.py`` call :func:`build_shard`. Airflow does not parse this
file (``.airflowignore``). The hash of a firm's key gives its shard, so that 1,000 firms are parsed in files
of about 125 DAGs, each well within Airflow's default time limits.

The registry file is all that is read here, so parsing opens no connection. What decides a firm's numbers
(thresholds, the source's address) is read when a task runs.
"""

from include.airflow_version import require_airflow

require_airflow()  # first: an older Airflow lacks what is imported below

from datetime import UTC, datetime, timedelta
from typing import Any

from airflow.sdk import (
    DAG,
    CronDataIntervalTimetable,
    Param,
    TaskGroup,
    get_current_context,
    get_parsing_context,
    task,
)
from airflow.sdk.exceptions import AirflowFailException
from fact_assets import AS_OF as LINK_AS_OF
from fact_assets import INCIDENT_KIND, ReportLink, RunbookLink, assets_of, record_events

from include.firms import WAREHOUSE_POOL, FirmShape
from include.incidents import FailureNotifier
from include.registry import known_firms
from include.runbook import dag_page, stage_page
from include.schedule import as_of_of_run, cron, is_scheduled
from include.settings import Settings
from include.shards import shard_of
from include.steps import STAGES, Stage, stage_upstream, tasks_for

START = datetime(2020, 1, 1, tzinfo=UTC)  # fixed, or every parse would make a new version of the DAG
RUN_TIMEOUT = timedelta(hours=20)  # one run at a time: a stuck one must end before the next day's
FIRST_STEP = STAGES[0].steps[0].name  # writes the run's first note
MOST_TASKS = 4  # of one firm at the same time, so that a large firm leaves room for the others
# Critical firms first. Within a tier later stages first: firms that have begun end before others begin.
FIRST_PRIORITY = {"low": 1, "standard": 101, "critical": 201}
RUNBOOK = RunbookLink()
LONGEST_RETRY_DELAY = timedelta(minutes=30)

AS_OF = Param(
    None,
    type=["null", "string"],
    format="date",
    title="as of",
    description="Nothing on or after this day is seen. Empty: the end of the run's interval, or today.",
)


def build_shard(number: int, of: int) -> list[DAG]:
    """The DAGs of the firms in shard ``number`` (from 1) of ``of``; in a task, that task's DAG alone."""
    wanted = get_parsing_context().dag_id
    firms = known_firms(Settings.read().registry)
    return [
        firm_dag(firm)
        for firm in firms
        if shard_of(firm.firm_key, of) == number and wanted in (None, dag_id(firm))
    ]


def timetable(firm: FirmShape) -> Any:
    """The firm's schedule, by intervals: a run's as_of is the end of its own."""
    if not is_scheduled(firm):
        return None
    if expression := cron(firm):
        return CronDataIntervalTimetable(expression, timezone=firm.timezone)
    from firmament_plugin import EveryDays

    return EveryDays(
        firm.working_day_period, hour=firm.schedule_hour, minute=firm.schedule_minute, zone=firm.timezone
    )


def firm_dag(firm: FirmShape) -> DAG:
    """A firm's DAG: its tasks, each after those it waits for."""
    stages = tasks_for(firm.modules, firm.dag_shape)
    upstream = stage_upstream(stages)
    leaves = {stage.name for stage in stages}.difference(*upstream.values())
    notifier = FailureNotifier(firm)
    with DAG(
        dag_id(firm),
        dag_display_name=f"{firm.name} ({firm.firm_key})",
        description=f"Customer analytics of {firm.name}",
        doc_md=dag_page(firm),
        schedule=timetable(firm),
        start_date=START,
        catchup=False,
        is_paused_upon_creation=False,
        max_active_runs=1,
        max_active_tasks=MOST_TASKS,
        dagrun_timeout=RUN_TIMEOUT,
        tags=["firmament", f"firm:{firm.firm_key}", firm.source_kind],
        default_args={"owner": firm.owner, "on_failure_callback": notifier},
        on_failure_callback=notifier,
    ) as dag:
        first = FIRST_PRIORITY[firm.alerts.tier]
        nodes = {
            stage.name: stage_node(firm, stage, priority=first + place, is_leaf=stage.name in leaves)
            for place, stage in enumerate(stages)
        }
        for name, others in upstream.items():
            for other in others:
                nodes[other] >> nodes[name]
    # Last: each task takes a copy of the DAG's parameters, and serialisation checks the schema of every copy
    # twice. A task can read the run's parameters without a copy.
    dag.params["as_of"] = AS_OF
    return dag


def stage_node(firm: FirmShape, stage: Stage, *, priority: int, is_leaf: bool) -> Any:
    """A stage as a task, or as a group with one task per step; no other stage waits for a leaf."""
    if not stage.is_split:
        return stage_task(firm, stage, stage.name, priority=priority, is_leaf=is_leaf)
    with TaskGroup(stage.name, tooltip=stage.does) as group:
        for step in stage.steps:
            task_id = step.name.removeprefix(f"{stage.name}_")
            stage_task(firm, stage.part(step), task_id, priority=priority)
    return group


def stage_task(firm: FirmShape, stage: Stage, task_id: str, *, priority: int, is_leaf: bool = False) -> Any:
    """A stage as a task. All it does is ``run_stage``, so that a run by hand does the same."""

    @task(
        task_id=task_id,
        multiple_outputs=False,
        doc_md=stage_page(firm, stage),
        outlets=assets_of(stage.steps) or None,
        # What reads the firm's source waits for a slot of that source's pool.
        pool=firm.pool if stage.steps[0].kind_name == "extract" else WAREHOUSE_POOL,
        priority_weight=priority,
        weight_rule="absolute",
        retries=stage.retries,
        retry_delay=timedelta(seconds=stage.retry_delay_seconds),
        retry_exponential_backoff=2,
        max_retry_delay=LONGEST_RETRY_DELAY,
        execution_timeout=timedelta(minutes=stage.timeout_minutes),
    )
    def run() -> dict[str, Any]:
        from include.faults import die_with_parent
        from include.incidents.causes import cause_of_error
        from include.monitoring import send_failure, send_stage
        from include.run import Attempt, run_stage
        from include.run.permanent import is_permanent
        from include.run_notes import RunNote

        # A supervisor that is killed would leave this process working, beside the retry.
        die_with_parent()
        context = get_current_context()
        instance = context["ti"]
        attempt = Attempt.of_task(
            context["run_id"],
            try_number=instance.try_number,
            max_tries=instance.max_tries,
            retries=stage.retries,
        )
        try:
            as_of = as_of_of_run(context, firm.timezone)
            setattr(instance.task, LINK_AS_OF, as_of.isoformat())
            note = RunNote(instance.dag_id, context["run_id"], as_of.isoformat())
            if stage.steps[0].name == FIRST_STEP and not attempt.may_skip:
                note.started()
            _check_root()
            outcomes = run_stage(stage.steps, firm.firm_key, as_of, attempt=attempt)
            send_stage(firm.firm_key, stage.name, outcomes)
            record_events(context, stage.steps, outcomes, firm_key=firm.firm_key, as_of=as_of)
        except Exception as error:
            kind = cause_of_error(error, firm).kind.name
            setattr(instance.task, INCIDENT_KIND, kind)
            send_failure(firm.firm_key, stage.name, kind)
            if is_permanent(error):  # a retry would only delay the message
                raise AirflowFailException(str(error)) from error
            raise
        if is_leaf:
            note.ended(firm)
        return {
            "as_of": as_of.isoformat(),
            "steps": {
                outcome.step: {
                    "rows": outcome.rows,
                    "seconds": round(outcome.seconds, 1),
                    "note": outcome.note,
                }
                for outcome in outcomes
            },
        }

    node: Any = run()
    node.operator.operator_extra_links = (RUNBOOK, ReportLink(firm.firm_key)) if is_leaf else (RUNBOOK,)
    return node


def _check_root() -> None:
    """HostError when handoffs are in a folder of one host, and this Airflow's tasks run on several."""
    from airflow.sdk.configuration import conf

    from include.handoff.stores import check_hosts

    settings = Settings.read()
    executor = conf.get("core", "executor", fallback="")
    check_hosts(settings.root, executor, is_shared=settings.is_shared_folder)


def dag_id(firm: FirmShape) -> str:
    """``firm_acme``: stable, so that a firm keeps its history."""
    return f"firm_{firm.firm_key}"
