// The list of customers: search, filters, order, pages; and the customers at risk.

import { useAnswer } from "./api";
import { React } from "./host";
import { Place, To } from "./navigation";
import { Badge, Pages, Risk, Section, Select, Table } from "./parts";
import { Search } from "./search";

const SORTS = ["total_spend_365_days", "total_spend", "predicted_clv_lifetime", "churn_probability", "days_since_last_order", "order_count", "customer_id"];
const RISKS = ["Critical", "High", "Medium", "Low"];
const Filters = ({ place }: { place: Place }) => {
  const { t, name } = place.words;
  const segments = useAnswer(`firms/${place.dag}/segments`, { as_of: place.asOf }).data?.rows ?? [];
  const tiers = useAnswer(`firms/${place.dag}/tiers`, { as_of: place.asOf }).data?.rows ?? [];
  const all: [string, string] = ["", t("all")];
  const choose = (field: string) => (value: string) => place.go({ [field]: value, after: "" });
  const named = (values: string[], kind: string): [string, string][] => [all, ...values.filter(Boolean).map((value) => [value, name(kind, value)] as [string, string])];
  const digits: [string, string][] = [all, ...["5", "4", "3", "2", "1"].map((digit) => [digit, digit] as [string, string])];
  const isFiltered = ["search", "segment", "tier", "risk", "recency", "frequency"].some((field) => place.get(field));
  return (
    <div className="fm-filters" role="search">
      <Search place={place} label={t("search")} />
      <Select label={t("segment")} value={place.get("segment")} onChange={choose("segment")} options={named(segments.map((row: any) => row.rfm_segment), "segment")} />
      <Select label={t("tier")} value={place.get("tier")} onChange={choose("tier")} options={named(tiers.map((row: any) => row.tier_name), "tier")} />
      <Select label={t("risk_title")} value={place.get("risk")} onChange={choose("risk")} options={named(RISKS, "risk")} />
      <Select label={t("recency")} value={place.get("recency")} onChange={choose("recency")} options={digits} />
      <Select label={t("frequency")} value={place.get("frequency")} onChange={choose("frequency")} options={digits} />
      <Select label={t("sort")} value={place.get("sort") || SORTS[0]} onChange={choose("sort")} options={SORTS.map((sort) => [sort, t(`metric.${sort}`)])} />
      <Select label={t("order")} value={place.get("order") || "desc"} onChange={choose("order")} options={[["desc", t("descending")], ["asc", t("ascending")]]} />
      {isFiltered && <To place={place} className="fm-button" changes={{ search: "", segment: "", tier: "", risk: "", recency: "", frequency: "", after: "" }}>{t("clear")}</To>}
    </div>
  );
};

export const Customers = ({ place }: { place: Place }) => {
  const { t, count, money, chance, name, day } = place.words;
  const asked = Object.fromEntries(["search", "segment", "tier", "risk", "recency", "frequency", "sort", "order", "after"].map((field) => [field, place.get(field)]));
  const answer = useAnswer(`firms/${place.dag}/customers`, { as_of: place.asOf, ...asked });
  return (
    <>
      <Filters place={place} />
      <Section title={t("customers")} answer={answer} place={place}>
        {(data) => (
          <>
            {data.total?.customers > 0 && <p className="fm-lead" role="status">{t("found", { n: count(data.total.customers), spend: `${t("metric.total_spend_365_days")}: ${money(data.total.total_spend_365_days)}`, value: `${t("metric.predicted_clv_lifetime")}: ${money(data.total.predicted_clv_lifetime)}` })}</p>}
            {data.rows.length === 0 ? <p>{t("none_found")}</p> : (
              <Table caption={t("customers")} rows={data.rows} rowKey={(row) => row.customer_id} columns={[
                { title: t("customer"), isHeading: true, show: (row) => <To place={place} changes={{ view: "customer", customer: row.customer_id }}>{row.customer_id}</To> },
                { title: t("segment"), show: (row) => name("segment", row.rfm_segment) },
                { title: t("tier"), show: (row) => name("tier", row.value_tier) },
                { title: t("risk_title"), show: (row) => <><Risk category={row.churn_risk_category} place={place} /> {row.churn_probability !== null && chance(row.churn_probability)}</> },
                { title: t("metric.total_spend_365_days"), isNumber: true, show: (row) => money(row.total_spend_365_days) },
                { title: t("metric.predicted_clv_lifetime"), isNumber: true, show: (row) => money(row.predicted_clv_lifetime) },
                { title: t("metric.order_count"), isNumber: true, show: (row) => count(row.order_count) },
                { title: t("last_order"), show: (row) => day(row.last_order_date) },
              ]} />
            )}
            <Pages data={data} place={place} />
          </>
        )}
      </Section>
    </>
  );
};

export const AtRisk = ({ place }: { place: Place }) => {
  const { t, count, money, chance, name } = place.words;
  const answer = useAnswer(`firms/${place.dag}/at-risk`, { as_of: place.asOf, after: place.get("after") });
  return (
    <Section title={t("at_risk")} lead={t("at_risk_lead")} answer={answer} place={place}>
      {(data) => (
        <>
          <Table caption={t("at_risk")} rows={data.rows} rowKey={(row) => row.customer_id} columns={[
            { title: t("place_in_list"), isNumber: true, show: (row) => count(row.place) },
            { title: t("customer"), isHeading: true, show: (row) => <To place={place} changes={{ view: "customer", customer: row.customer_id }}>{row.customer_id}</To> },
            { title: t("risk_title"), show: (row) => <><Risk category={row.churn_risk_category} place={place} /> {chance(row.churn_probability)}</> },
            { title: t("why"), show: (row) => [1, 2, 3].map((n) => row[`top_churn_factor_${n}`]).filter(Boolean).map((code) => name("factor", code)).join(", ") || "–" },
            { title: t("segment"), show: (row) => name("segment", row.rfm_segment) },
            { title: t("metric.total_spend_365_days"), isNumber: true, show: (row) => money(row.total_spend_365_days) },
            { title: t("metric.margin_at_risk"), isNumber: true, show: (row) => money(row.margin_at_risk) },
            { title: t("may_contact"), show: (row) => row.may_contact === false ? <Badge kind="bad">{t("no")}</Badge> : row.may_contact ? t("yes") : t("unknown") },
            { title: t("metric.days_since_last_order"), isNumber: true, show: (row) => count(row.days_since_last_order) },
          ]} />
          <Pages data={data} place={place} />
        </>
      )}
    </Section>
  );
};
