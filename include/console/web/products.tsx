// Products: what customers will buy next, stages of life, and sales.

import { Row, useAnswer } from "./api";
import { React } from "./host";
import { Place } from "./navigation";
import { Badge, Bar, Pages, Section, Table } from "./parts";
import { Search } from "./search";

/** Two products may have one name, so the id is shown too. */
const named = (row: Row) => row.product_name ? <>{row.product_name} <span className="fm-muted">{row.product_id}</span></> : row.product_id;

const Suggested = ({ data, place }: { data: Row; place: Place }) => {
  const { t, count, chance, day, percent } = place.words;
  const { test, rows } = data;
  return (
    <>
      {test && <p className="fm-lead">{test.hit_rate_at_5 === null ? <span lang="en">{test.reason}</span> : t("next_test", { n: count(test.tested_customers), day: day(test.tested_from), days: count(test.horizon_days), hit: percent(100 * test.hit_rate_at_5), popular: percent(100 * test.popular_hit_rate_at_5) })}{" "}
        <Badge kind={test.is_used ? "good" : "plain"}>{t(test.is_used ? "next_used" : "next_not_used")}</Badge></p>}
      <Table caption={t("next_products")} rows={rows} rowKey={(row) => row.product_id} columns={[
        { title: t("product"), isHeading: true, show: named },
        { title: t("category"), show: (row) => row.category ?? "–" },
        { title: t("suggested_to"), isNumber: true, show: (row) => <Bar value={row.customer_count} most={rows[0].customer_count}>{count(row.customer_count)}</Bar> },
        { title: t("first_for"), isNumber: true, show: (row) => count(row.first_for_customers) },
        { title: t("mean_purchase_chance"), isNumber: true, show: (row) => chance(row.avg_purchase_probability) },
        { title: t("due_from"), show: (row) => day(row.first_due_date) },
      ]} />
    </>
  );
};

const Stages = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, money, name } = place.words;
  return (
    <Table caption={t("product_stages")} rows={rows} rowKey={(row) => row.stage} columns={[
      { title: t("product_stage"), isHeading: true, show: (row) => name("product_stage", row.stage) },
      { title: t("products"), isNumber: true, show: (row) => count(row.product_count) },
      { title: t("sales_90"), isNumber: true, show: (row) => money(row.net_amount_90_days) },
      { title: t("sales_before"), isNumber: true, show: (row) => money(row.net_amount_previous_90_days) },
    ]} />
  );
};

export const Products = ({ place }: { place: Place }) => {
  const { t, count, money, percent, day } = place.words;
  const of = { as_of: place.asOf };
  const next = useAnswer(`firms/${place.dag}/next-products`, of);
  const stages = useAnswer(`firms/${place.dag}/product-stages`, of);
  const products = useAnswer(`firms/${place.dag}/products`, { ...of, search: place.get("search"), after: place.get("after") });
  return (
    <>
      <Section title={t("next_products")} lead={t("next_products_lead")} answer={next} place={place}>{(data) => <Suggested data={data} place={place} />}</Section>
      <Section title={t("product_stages")} lead={t("product_stages_lead")} answer={stages} place={place}>{({ rows }) => <Stages rows={rows} place={place} />}</Section>
      <div className="fm-filters" role="search"><Search place={place} label={t("search_products")} /></div>
      <Section title={t("products")} lead={t("products_lead")} answer={products} place={place}>
        {(data) => (
          <>
            {data.rows.length === 0 ? <p>{t("no_products_found")}</p> : <Table caption={t("products")} rows={data.rows} rowKey={(row) => row.product_id} columns={[
              { title: t("place_in_list"), isNumber: true, show: (row) => count(row.place) },
              { title: t("product"), isHeading: true, show: named },
              { title: t("category"), show: (row) => row.category ?? "–" },
              { title: t("sales_year"), isNumber: true, show: (row) => money(row.net_amount_365_days) },
              { title: t("share"), isNumber: true, show: (row) => percent(row.share_pct, 2) },
              { title: t("buyers"), isNumber: true, show: (row) => count(row.customer_count) },
              { title: t("repeat_buyers"), isNumber: true, show: (row) => percent(row.repeat_customer_pct) },
              { title: t("returned"), isNumber: true, show: (row) => percent(row.return_pct) },
              { title: t("margin"), isNumber: true, show: (row) => percent(row.margin_pct) },
              { title: t("last_sale"), show: (row) => day(row.last_sale_date) },
            ]} />}
            <Pages data={data} place={place} />
          </>
        )}
      </Section>
    </>
  );
};
