// What to do next: the plan with its budget and holdout, what earlier actions achieved, and the customers of an action.

import { useAnswer } from "./api";
import { React } from "./host";
import { Place, To } from "./navigation";
import { Badge, Pages, Section, Select, Table } from "./parts";

export const Actions = ({ place }: { place: Place }) => {
  const { t, count, money, percent, day, name, decimal } = place.words;
  const chosen = place.get("action");
  const plan = useAnswer(`firms/${place.dag}/actions`, { as_of: place.asOf });
  const effects = useAnswer(`firms/${place.dag}/actions/effects`, { as_of: place.asOf });
  const list = useAnswer(`firms/${place.dag}/actions/customers`, { as_of: place.asOf, action: chosen, after: place.get("after") });
  const codes: string[] = plan.data?.rows.map((row: any) => row.action_code) ?? [];
  return (
    <>
      <Section title={t("plan")} lead={t("plan_lead")} answer={plan} place={place}>
        {({ rows }) => (
          <>
            <p className="fm-lead">{t("plan_of", { day: day(rows[0].as_of) })}</p>
            <Table caption={t("plan")} rows={rows} rowKey={(row) => row.action_code} columns={[
              { title: t("action"), isHeading: true, show: (row) => <To place={place} changes={{ action: row.action_code, after: "" }}>{name("action", row.action_code)}</To> },
              { title: t("chosen_customers"), isNumber: true, show: (row) => count(row.customers_chosen) },
              { title: t("holdout"), isNumber: true, show: (row) => count(row.customers_held_out) },
              { title: t("cost"), isNumber: true, show: (row) => money(row.planned_cost) },
              { title: t("benefit"), isNumber: true, show: (row) => money(row.planned_benefit) },
              { title: t("detectable"), isNumber: true, explain: t("detectable_explained"), show: (row) => row.detectable_spend === null ? t("too_few") : money(row.detectable_spend) },
            ]} />
          </>
        )}
      </Section>
      <Section title={t("effects")} lead={t("effects_lead")} answer={effects} place={place}>
        {({ rows }) => (
          <Table caption={t("effects")} rows={rows} rowKey={(row) => `${row.quarter_start}${row.action_code}`} columns={[
            { title: t("action"), isHeading: true, show: (row) => name("action", row.action_code) },
            { title: t("quarter_from"), show: (row) => day(row.quarter_start) },
            { title: t("treated"), isNumber: true, show: (row) => `${count(row.treated_customers)} / ${count(row.held_out_customers)}` },
            { title: t("ordered"), isNumber: true, show: (row) => `${percent(row.treated_order_pct)} / ${percent(row.held_out_order_pct)}` },
            { title: t("spend_effect"), isNumber: true, show: (row) => money(row.spend_effect) },
            { title: t("interval"), isNumber: true, show: (row) => row.spend_effect_low === null ? t("too_few") : t("range", { low: money(row.spend_effect_low), high: money(row.spend_effect_high) }) },
            { title: t("result"), show: (row) => row.is_beyond_chance === null ? <Badge kind="plain">{t("too_few")}</Badge>
              : row.is_beyond_chance ? <Badge kind={row.spend_effect > 0 ? "good" : "bad"}>{t(row.spend_effect > 0 ? "works" : "harms")}</Badge>
              : <Badge kind="plain">{t("by_chance")}</Badge> },
          ]} />
        )}
      </Section>
      <Section title={t("action_list")} answer={list} place={place}>
        {(data) => (
          <>
            <div className="fm-filters">
              <Select label={t("action")} value={chosen} onChange={(value) => place.go({ action: value, after: "" })} options={[["", t("all")], ...codes.map((code) => [code, name("action", code)] as [string, string])]} />
            </div>
            <Table caption={t("action_list")} rows={data.rows} rowKey={(row) => row.customer_id} columns={[
              { title: t("customer"), isHeading: true, show: (row) => <To place={place} changes={{ view: "customer", customer: row.customer_id }}>{row.customer_id}</To> },
              { title: t("action"), show: (row) => name("action", row.action_code) },
              { title: t("cost"), isNumber: true, show: (row) => money(row.cost_amount) },
              { title: t("benefit"), isNumber: true, show: (row) => money(row.expected_benefit_amount) },
              { title: t("roi"), isNumber: true, show: (row) => row.roi === null ? "–" : `${decimal(row.roi, 0)}×` },
              { title: t("why"), show: (row) => row.explanation },
            ]} />
            <Pages data={data} place={place} />
          </>
        )}
      </Section>
    </>
  );
};
