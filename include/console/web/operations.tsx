// How the numbers were made: runs by stage, checks and rejected rows, models.

import { Row, useAnswer } from "./api";
import { React } from "./host";
import { Place } from "./navigation";
import { Badge, Section, Table } from "./parts";

export const Operations = ({ place }: { place: Place }) => {
  const { t, count, day, instant, decimal, name, money } = place.words;
  const runs = useAnswer(`firms/${place.dag}/runs`, { limit: 3 });
  const quality = useAnswer(`firms/${place.dag}/quality`);
  const models = useAnswer(`firms/${place.dag}/models`);
  return (
    <>
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
      <Section title={t("quality")} answer={quality} place={place} exports={[["rejections"]]}>
        {({ rows, rejections, currency }) => {
          const failed = rows.filter((row: Row) => !row.passed);
          return (
            <>
              <p className="fm-lead">{rows.length ? t("checks_lead", { n: count(failed.length), of: count(rows.length), day: day(rows[0].as_of) }) : t("no_checks")}</p>
              {failed.length > 0 && <Table caption={t("quality")} rows={failed} rowKey={(row) => `${row.dataset}${row.slice}${row.expectation}${row.column_name}`} columns={[
                { title: t("dataset"), isHeading: true, show: (row) => row.dataset },
                { title: t("slice"), show: (row) => row.slice },
                { title: t("check"), show: (row) => `${row.expectation}${row.column_name ? ` (${row.column_name})` : ""}` },
                { title: t("observed"), show: (row) => row.observed },
                { title: t("expected"), show: (row) => row.expected },
                { title: t("result"), show: (row) => row.is_critical ? <Badge kind="bad">{t("stops")}</Badge> : <Badge kind="mild">{t("warns")}</Badge> },
              ]} />}
              <h3>{t("rejections")}</h3>
              {rejections.length === 0 ? <p>{t("no_rejections")}</p> : <Table caption={t("rejections")} rows={rejections} rowKey={(row) => row.dataset + row.reason} columns={[
                { title: t("dataset"), isHeading: true, show: (row) => row.dataset },
                { title: t("why"), show: (row) => row.reason },
                { title: t("rows"), isNumber: true, show: (row) => count(row.row_count) },
                { title: t("amount"), isNumber: true, show: (row) => money(row.net_amount) },
                { title: t("slice"), show: (row) => row.first_slice === row.last_slice ? row.first_slice : `${row.first_slice} – ${row.last_slice}` },
              ]} />}
            </>
          );
        }}
      </Section>
      <Section title={t("models")} answer={models} place={place} exports={[["drift"]]}>
        {({ rows }) => rows.length === 0 ? <p>{t("no_models")}</p> : (
          <Table caption={t("models")} rows={rows} rowKey={(row) => row.module + row.model_version} columns={[
            { title: t("model"), isHeading: true, show: (row) => row.model_version },
            { title: t("module"), show: (row) => name("module", row.module) },
            { title: t("method"), show: (row) => row.method },
            { title: t("trained_to"), show: (row) => day(row.anchor) },
            { title: t("leakage"), isNumber: true, show: (row) => !row.sentinel_checks ? "–" : `${count(row.sentinel_checks_passed)} / ${count(row.sentinel_checks)}` },
            { title: t("scores_now"), show: (row) => row.is_scoring === null ? "–" : row.is_scoring ? <Badge kind="good">{t("yes")}</Badge> : <Badge kind="plain" title={row.gate_reason}>{t("no")}</Badge> },
            { title: t("why"), show: (row) => row.gate_reason ?? row.reason },
          ]} />
        )}
      </Section>
    </>
  );
};
