// One customer: profile, scores with their history, why at risk, value, the next action, and the timeline.

import { Row, useAnswer } from "./api";
import { React } from "./host";
import { Place, To } from "./navigation";
import { Message, Risk, Section, Table } from "./parts";

const Facts = ({ facts }: { facts: [string, any][] }) => (
  <dl className="fm-facts">{facts.map(([title, value]) => <div key={title}><dt>{title}</dt><dd>{value ?? "–"}</dd></div>)}</dl>
);

const Profile = ({ customer: c, place }: { customer: Row; place: Place }) => {
  const { t, count, money, chance, day, name } = place.words;
  const factors = [1, 2, 3].map((n) => c[`top_churn_factor_${n}_text`]).filter(Boolean);
  return (
    <div className="fm-columns">
      <div>
        <h3>{t("metric.order_count")}</h3>
        <Facts facts={[
          [t("metric.order_count"), count(c.order_count)], [t("metric.total_spend"), money(c.total_spend, true)], [t("metric.total_spend_365_days"), money(c.total_spend_365_days, true)],
          [t("first_order"), day(c.first_order_date)], [t("last_order"), day(c.last_order_date)], [t("metric.days_since_last_order"), count(c.days_since_last_order)],
          [t("returns"), c.return_count ? `${count(c.return_count)} (${money(c.returned_amount, true)})` : t("none")],
          [t("favourite"), [c.favourite_category, c.favourite_channel].filter(Boolean).join(", ") || "–"],
        ]} />
      </div>
      <div>
        <h3>{t("scores")}</h3>
        <Facts facts={[
          [t("segment"), name("segment", c.rfm_segment)], [t("metric.rfm_score"), c.rfm_score], [t("tier"), name("tier", c.value_tier)],
          [t("metric.predicted_clv_1_year"), money(c.predicted_clv_1_year, true)], [t("metric.predicted_clv_1_year_low"), c.predicted_clv_1_year_low === null ? t("no_interval") : t("range", { low: money(c.predicted_clv_1_year_low, true), high: money(c.predicted_clv_1_year_high, true) })], [t("metric.expected_next_order_date"), day(c.expected_next_order_date)], [t("metric.predicted_clv_lifetime"), money(c.clv_value, true)],
          [t("risk_title"), <><Risk category={c.churn_risk_category} place={place} /> {c.churn_probability === null ? "" : t("chance_of", { n: chance(c.churn_probability) })}</>],
          [t("why"), factors.join("; ") || "–"],
          [t("models"), [c.clv_model_version, c.churn_model_version].filter(Boolean).join(", ") || "–"],
        ]} />
      </div>
      <div>
        <h3>{t("action")}</h3>
        {c.action_code
          ? <Message title={name("action", c.action_code)} detail={c.action_explanation} action={c.is_chosen ? t("chosen") : t("not_chosen")} />
          : <Message title={t("no_action")} />}
        <h3>{t("profile")}</h3>
        <Facts facts={[
          [t("status"), name("activity", c.activity_status)], [t("country"), c.country], [t("age"), c.age_band], [t("gender"), c.gender], [t("joined"), day(c.joined_date)],
          [t("channel"), c.acquisition_channel], [t("nps"), c.last_nps_score], [t("points_balance"), c.points_balance === null ? "–" : count(c.points_balance)],
        ]} />
      </div>
    </div>
  );
};

const NextProducts = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, chance, day } = place.words;
  return (
    <Table caption={t("next_of_customer")} rows={rows} rowKey={(row) => row.product_rank} columns={[
      { title: t("product"), isHeading: true, show: (row) => row.product_name ?? row.product_id },
      { title: t("category"), show: (row) => row.category ?? "–" },
      { title: t("purchase_chance"), isNumber: true, show: (row) => chance(row.purchase_probability) },
      { title: t("due"), show: (row) => day(row.due_date) },
      { title: t("why"), show: (row) => <span lang="en">{row.reason}</span> },
    ]} />
  );
};

const History = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, money, chance, day, name } = place.words;
  return (
    <Table caption={t("history")} rows={rows} rowKey={(row) => row.as_of} columns={[
      { title: t("snapshot"), isHeading: true, show: (row) => <To place={place} changes={{ as_of: row.as_of }}>{day(row.as_of)}</To> },
      { title: t("segment"), show: (row) => name("segment", row.rfm_segment) },
      { title: t("metric.rfm_score"), show: (row) => row.rfm_score },
      { title: t("risk_title"), show: (row) => <><Risk category={row.churn_risk_category} place={place} /> {row.churn_probability === null ? "" : chance(row.churn_probability)}</> },
      { title: t("metric.total_spend_365_days"), isNumber: true, show: (row) => money(row.total_spend_365_days) },
      { title: t("metric.predicted_clv_1_year"), isNumber: true, show: (row) => money(row.predicted_clv_1_year) },
    ]} />
  );
};

export const Customer = ({ place }: { place: Place }) => {
  const { t, instant, money, name } = place.words;
  const id = place.get("customer");
  const answer = useAnswer(`firms/${place.dag}/customer`, { as_of: place.asOf, customer_id: id });
  const events = useAnswer(`firms/${place.dag}/timeline`, { as_of: place.asOf, customer_id: id, before: place.get("after"), limit: 25 });
  const next = useAnswer(`firms/${place.dag}/customer-next`, { as_of: place.asOf, customer_id: id });
  return (
    <>
      <p className="fm-crumb"><To place={place} changes={{ view: "customers" }}>{t("customers")}</To></p>
      <Section title={t("customer_n", { id })} answer={answer} place={place}>{({ customer }) => <Profile customer={customer} place={place} />}</Section>
      <Section title={t("next_of_customer")} answer={next} place={place}>{({ rows }) => <NextProducts rows={rows} place={place} />}</Section>
      <Section title={t("history")} lead={t("history_lead")} answer={answer} place={place} exports={[["history", { as_of: place.asOf, customer_id: id }]]}>{({ history }) => <History rows={history} place={place} />}</Section>
      <Section title={t("timeline")} answer={events} place={place}>
        {({ rows }) => (
          <>
            {rows.length === 0 ? <p>{t("no_events")}</p> : (
              <Table caption={t("timeline")} rows={rows} rowKey={(row) => `${row.activity_datetime}${row.activity_type}${row.activity_reference}${row.campaign_id}`} columns={[
                { title: t("when"), isHeading: true, show: (row) => instant(row.activity_datetime) },
                { title: t("what"), show: (row) => name("event", row.activity_type) },
                { title: t("channel"), show: (row) => (row.channel_code === "(unknown)" ? "–" : row.channel_code) },
                { title: t("reference"), show: (row) => row.activity_reference ?? (row.campaign_id ? t("campaign", { id: row.campaign_id }) : "–") },
                { title: t("amount"), isNumber: true, show: (row) => money(row.order_value, true) },
              ]} />
            )}
            <nav className="fm-pages" aria-label={t("pages")}>
              {place.get("after") && <To place={place} changes={{ after: "" }} className="fm-button">{t("latest")}</To>}
              {rows.length === 25 && <To place={place} changes={{ after: rows[rows.length - 1].activity_datetime }} className="fm-button">{t("earlier")}</To>}
            </nav>
          </>
        )}
      </Section>
    </>
  );
};
