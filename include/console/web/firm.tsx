// One firm at one snapshot: were we right, headline metrics, insight, segments, risk, cohorts.

import { Row, useAnswer } from "./api";
import { Change } from "./change";
import { Cohorts, RfmGrid } from "./grids";
import { React } from "./host";
import { Place, To } from "./navigation";
import { Bar, Risk, Section, Table } from "./parts";
import { Scorecards } from "./scorecards";

const HEADLINES = ["revenue_year", "revenue_change", "active_customers", "retention_rate", "avg_order_value", "new_customers", "expected_spend_year", "spend_at_risk"];

const Headlines = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, measure, change, day } = place.words;
  const known = new Map(rows.filter((row) => row.member === "").map((row) => [row.metric, row]));
  return (
    <ul className="fm-cards">
      {HEADLINES.map((name) => known.get(name)).filter(Boolean).map((row: any) => (
        <li key={row.metric} className="fm-card">
          <h3>{row.label}</h3>
          <p className="fm-figure" title={row.metric_value === null ? undefined : measure(row.metric_value, row.unit, true)}>{measure(row.metric_value, row.unit)}</p>
          {row.low !== null && row.high !== null && <p className="fm-muted">{t("between", { low: measure(row.low, row.unit), high: measure(row.high, row.unit) })}</p>}
          {row.value_change !== null
            ? <p className="fm-muted">{t("since", { change: change(row.value_change, row.unit), day: day(row.previous_as_of) })}</p>
            : row.metric_value === null
            ? <p className="fm-muted">{t("not_known")}</p>
            : row.previous_as_of && <p className="fm-muted">{t("not_known_before", { day: day(row.previous_as_of) })}</p>}
          <details><summary>{t("how")}</summary><p>{row.formula}</p></details>
        </li>
      ))}
    </ul>
  );
};

const Insight = ({ rows }: { rows: Row[] }) => (
  <ul className="fm-sentences">{rows.map((row) => <li key={row.place} className={`fm-kind-${row.kind}`}>{row.sentence}</li>)}</ul>
);

const Segments = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, percent, money, name, decimal } = place.words;
  const most = Math.max(...rows.map((row) => row.customer_count));
  const revenue = rows.reduce((sum, row) => sum + (row.total_revenue_365 ?? 0), 0);
  return (
    <Table caption={t("segments")} rows={rows} rowKey={(row) => row.rfm_segment ?? "none"} columns={[
      { title: t("segment"), isHeading: true, show: (row) => row.rfm_segment
        ? <To place={place} changes={{ view: "customers", segment: row.rfm_segment }}>{name("segment", row.rfm_segment)}</To> : t("no_segment") },
      { title: t("customers"), isNumber: true, show: (row) => <Bar value={row.customer_count} most={most}>{count(row.customer_count)}</Bar> },
      { title: t("share"), isNumber: true, show: (row) => percent(row.pct_of_customers) },
      { title: t("metric.total_spend_365_days"), isNumber: true, show: (row) => money(row.total_revenue_365) },
      { title: t("share_of_spend"), isNumber: true, show: (row) => percent(revenue > 0 ? (100 * row.total_revenue_365) / revenue : null) },
      { title: t("metric.days_since_last_order"), isNumber: true, show: (row) => decimal(row.avg_days_since_last_order, 0) },
    ]} />
  );
};

const Moves = ({ data, place }: { data: Row; place: Place }) => {
  const { t, count, name, day } = place.words;
  const moved = data.rows.filter((row: Row) => row.from_segment !== row.to_segment);
  const stayed = data.rows.filter((row: Row) => row.from_segment === row.to_segment).reduce((sum: number, row: Row) => sum + row.customers_migrated, 0);
  const most = Math.max(1, ...moved.map((row: Row) => row.customers_migrated));
  return (
    <>
      <p className="fm-lead">{t("moves_lead", { day: day(data.from_as_of), stayed: count(stayed), moved: count(moved.reduce((sum: number, row: Row) => sum + row.customers_migrated, 0)) })}</p>
      <Table caption={t("moves")} rows={moved.slice(0, 12)} rowKey={(row) => `${row.from_segment}>${row.to_segment}`} columns={[
        { title: t("from"), show: (row) => name("segment", row.from_segment) },
        { title: t("to"), show: (row) => name("segment", row.to_segment) },
        { title: t("direction"), show: (row) => name("direction", row.migration_direction) },
        { title: t("customers"), isNumber: true, show: (row) => <Bar value={row.customers_migrated} most={most}>{count(row.customers_migrated)}</Bar> },
      ]} />
    </>
  );
};

const RiskTable = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, percent, money, chance } = place.words;
  const order = ["Critical", "High", "Medium", "Low"];
  const sorted = [...rows].sort((a, b) => order.indexOf(a.churn_risk_category) - order.indexOf(b.churn_risk_category));
  return (
    <Table caption={t("risk_title")} rows={sorted} rowKey={(row) => row.churn_risk_category} columns={[
      { title: t("risk_title"), isHeading: true, show: (row) => <To place={place} changes={{ view: "customers", risk: row.churn_risk_category, sort: "churn_probability" }}><Risk category={row.churn_risk_category} place={place} /></To> },
      { title: t("customers"), isNumber: true, show: (row) => count(row.customer_count) },
      { title: t("share"), isNumber: true, show: (row) => percent(row.pct_of_customers) },
      { title: t("mean_chance"), isNumber: true, show: (row) => chance(row.avg_churn_probability) },
      { title: t("metric.category_expected_leavers"), isNumber: true, explain: t("formula.category_expected_leavers"), show: (row) => count(row.expected_churners) },
      { title: t("metric.total_spend_365_days"), isNumber: true, show: (row) => money(row.category_spend_365_days) },
      { title: t("metric.category_spend_at_risk"), isNumber: true, explain: t("formula.category_spend_at_risk"), show: (row) => money(row.category_spend_at_risk) },
      { title: t("metric.category_margin_at_risk"), isNumber: true, explain: t("formula.category_margin_at_risk"), show: (row) => money(row.category_margin_at_risk) },
    ]} />
  );
};

const Tiers = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, decimal, percent, money, name } = place.words;
  return (
    <Table caption={t("tiers")} rows={rows} rowKey={(row) => row.tier_code} columns={[
      { title: t("tier"), isHeading: true, show: (row) => <To place={place} changes={{ view: "customers", tier: row.tier_name, sort: "predicted_clv_lifetime" }}>{name("tier", row.tier_name)}</To> },
      { title: t("customers"), isNumber: true, show: (row) => count(row.customer_count) },
      { title: t("metric.predicted_clv_1_year"), isNumber: true, show: (row) => money(row.total_predicted_1_year) },
      { title: t("metric.predicted_clv_lifetime"), isNumber: true, show: (row) => money(row.total_predicted_value) },
      { title: t("tier_from"), isNumber: true, show: (row) => decimal(row.lowest_percentile, 0) },
      { title: t("share_of_value"), isNumber: true, show: (row) => <Bar value={row.pct_of_predicted_value ?? 0} most={100}>{percent(row.pct_of_predicted_value)}</Bar> },
      { title: t("tier_benefit"), show: (row) => row.tier_benefit ?? "–" },
    ]} />
  );
};

export const Firm = ({ place }: { place: Place }) => {
  const { t, language } = place.words;
  const ask = (name: string, more = {}) => useAnswer(`firms/${place.dag}/${name}`, { as_of: place.asOf, ...more });
  const scorecards = ask("scorecards"), metrics = ask("metrics", { language }), insight = ask("insight", { language });
  const grid = ask("rfm-scores"), segments = ask("segments"), moves = ask("migrations", { since: place.get("since") }), change = ask("change", { since: place.get("since") }), risk = ask("risk");
  const tiers = ask("tiers"), cohorts = ask("cohorts");
  return (
    <>
      <Section title={t("headlines")} answer={metrics} place={place}>{({ rows }) => <Headlines rows={rows} place={place} />}</Section>
      <Section title={t("were_we_right")} lead={t("were_we_right_lead")} answer={scorecards} place={place}>{({ rows }) => <Scorecards rows={rows} place={place} />}</Section>
      <Section title={t("insight")} answer={insight} place={place}>{({ rows }) => <Insight rows={rows} />}</Section>
      <Section title={t("change")} lead={t("change_lead")} answer={change} place={place}>{(data) => <Change data={data} place={place} />}</Section>
      <Section title={t("risk_title")} lead={t("risk_lead")} answer={risk} place={place}>{({ rows }) => <RiskTable rows={rows} place={place} />}</Section>
      <Section title={t("rfm_grid")} lead={t("rfm_lead")} answer={grid} place={place}>{({ rows }) => <RfmGrid rows={rows} place={place} />}</Section>
      <Section title={t("segments")} lead={t("segments_lead")} answer={segments} place={place}>{({ rows }) => <Segments rows={rows} place={place} />}</Section>
      <Section title={t("moves")} answer={moves} place={place}>{(data) => <Moves data={data} place={place} />}</Section>
      <Section title={t("tiers")} lead={t("tiers_lead")} answer={tiers} place={place}>{({ rows }) => <Tiers rows={rows} place={place} />}</Section>
      <Section title={t("cohorts")} lead={t("cohorts_lead")} answer={cohorts} place={place}>{({ rows }) => <Cohorts rows={rows} place={place} />}</Section>
    </>
  );
};
