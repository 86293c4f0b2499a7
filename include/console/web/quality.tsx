// Data quality: the last checks, rejected rows with their money, and both over time.

import { Row, useAnswer } from "./api";
import { React } from "./host";
import { Place } from "./navigation";
import { Badge, Section, Table } from "./parts";

export const Quality = ({ place }: { place: Place }) => {
  const { t, count, day, money } = place.words;
  const quality = useAnswer(`firms/${place.dag}/quality`);
  const history = useAnswer(`firms/${place.dag}/quality-history`);
  return (
    <>
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
      <Section title={t("quality_history")} lead={t("quality_history_lead")} answer={history} place={place}>
        {({ rows }) => rows.length === 0 ? <p>{t("no_checks")}</p> : (
          <Table caption={t("quality_history")} rows={rows} rowKey={(row) => row.as_of} columns={[
            { title: t("snapshot"), isHeading: true, show: (row) => day(row.as_of) },
            { title: t("checks"), isNumber: true, show: (row) => count(row.checks) },
            { title: t("failed_critical"), isNumber: true, show: (row) => count(row.failed_critical) },
            { title: t("failed_warnings"), isNumber: true, show: (row) => count(row.failed_warnings) },
            { title: t("failed_rules"), show: (row) => row.failed_rules ?? "–" },
            { title: t("rejected_rows"), isNumber: true, show: (row) => count(row.rejected_rows) },
            { title: t("amount"), isNumber: true, show: (row) => money(row.rejected_amount) },
          ]} />
        )}
      </Section>
    </>
  );
};
