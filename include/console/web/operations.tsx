// How a firm runs: open failures with the command that fixes them, the last runs, and what each stage took.

import { Row, useAnswer } from "./api";
import { React } from "./host";
import { Place } from "./navigation";
import { Badge, Bar, Section, Table } from "./parts";

const SEVERITIES: Record<string, string> = { critical: "bad", error: "warn", warning: "mild" };

const Incidents = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, instant, day } = place.words;
  return (
    <ul className="fm-incidents">
      {rows.map((row) => (
        <li key={row.incident_id} className={`fm-message${row.closed_at ? "" : " fm-open"}`}>
          <h3><span lang="en">{row.title}</span> <Badge kind={row.closed_at ? "good" : SEVERITIES[row.severity] ?? "plain"}>{t(row.closed_at ? "closed" : `severity.${row.severity}`)}</Badge></h3>
          <p>{t("incident_when", { n: row.incident_id, since: instant(row.opened_at), last: instant(row.failed_at), failures: count(row.failures), days: row.first_as_of === row.last_as_of ? day(row.first_as_of) : `${day(row.first_as_of)} – ${day(row.last_as_of)}` })}{row.closed_at && ` ${t("incident_closed", { when: instant(row.closed_at) })}`}</p>
          <p lang="en">{row.error}</p>
          {!row.closed_at && <p lang="en">{row.advice} <code>{row.command}</code></p>}
        </li>
      ))}
    </ul>
  );
};

/** What a snapshot took, stage by stage; the bar is the share of the longest stage. */
const Pipeline = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, day, decimal, name } = place.words;
  const most = Math.max(...rows.map((row) => row.seconds ?? 0));
  return (
    <Table caption={t("pipeline")} rows={rows} rowKey={(row) => `${row.as_of}${row.stage}`} columns={[
      { title: t("snapshot"), show: (row) => day(row.as_of) },
      { title: t("stage"), isHeading: true, show: (row) => name("stage", row.stage) },
      { title: t("seconds"), isNumber: true, show: (row) => <Bar value={row.seconds ?? 0} most={most}>{decimal(row.seconds, 1)}</Bar> },
      { title: t("cpu_seconds"), isNumber: true, show: (row) => decimal(row.cpu_seconds, 1) },
      { title: t("peak_mb"), isNumber: true, show: (row) => count(row.peak_mb) },
      { title: t("rows"), isNumber: true, show: (row) => count(row.row_count) },
      { title: t("failed_steps"), isNumber: true, show: (row) => count(row.failed_steps) },
    ]} />
  );
};

export const Operations = ({ place }: { place: Place }) => {
  const { t, count, day, instant, decimal, name } = place.words;
  const incidents = useAnswer(`firms/${place.dag}/incidents`, { limit: 20 });
  const runs = useAnswer(`firms/${place.dag}/runs`, { limit: 3 });
  const pipeline = useAnswer(`firms/${place.dag}/pipeline`, { limit: 60 });
  return (
    <>
      <Section title={t("incidents")} lead={t("incidents_lead")} answer={incidents} place={place}>
        {({ rows }) => rows.length === 0 ? <p>{t("no_incidents")}</p> : <Incidents rows={rows} place={place} />}
      </Section>
      <Section title={t("runs")} answer={runs} place={place}>
        {({ rows }) => rows.length === 0 ? <p>{t("never_run")}</p> : (
          <Table caption={t("runs")} rows={rows} rowKey={(row) => `${row.last_step_run_id}${row.stage}`} columns={[
            { title: t("stage"), isHeading: true, show: (row) => name("stage", row.stage) },
            { title: t("snapshot"), show: (row) => day(row.as_of) },
            { title: t("started"), show: (row) => instant(row.started_at) },
            { title: t("seconds"), isNumber: true, show: (row) => decimal(row.seconds, 1) },
            { title: t("steps"), isNumber: true, show: (row) => `${count(row.steps_done)} / ${count(row.steps)}` },
            { title: t("attempt"), isNumber: true, show: (row) => count(row.attempt) },
            { title: t("result"), show: (row) => row.steps === row.steps_done ? <Badge kind="good">{t("run_done")}</Badge> : <Badge kind="bad">{row.message || t("not_done")}</Badge> },
          ]} />
        )}
      </Section>
      <Section title={t("pipeline")} lead={t("pipeline_lead")} answer={pipeline} place={place}>
        {({ rows }) => rows.length === 0 ? <p>{t("never_run")}</p> : <Pipeline rows={rows} place={place} />}
      </Section>
    </>
  );
};
