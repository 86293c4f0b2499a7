// Why did it change: the spend of two days, and the parts between them, which sum to the difference.

import { Row } from "./api";
import { React } from "./host";
import { Place } from "./navigation";
import { Select, Table } from "./parts";

const total = (rows: Row[], field: string): number => rows.reduce((sum, row) => sum + row[field], 0);

/** A bar from one amount to another on the axis of the whole chart. */
const Step = ({ from, to, most, kind }: { from: number; to: number; most: number; kind: string }) => (
  <span className="fm-range" aria-hidden="true">
    <span className={`fm-step fm-step-${kind}`} style={{ left: `${(100 * Math.min(from, to)) / most}%`, width: `${Math.max(0.4, (100 * Math.abs(to - from)) / most)}%` }} />
  </span>
);

/** The day to compare with; in the address, so that a link keeps it. */
export const Since = ({ place, days, shown }: { place: Place; days: string[]; shown: string }) => (
  <Select label={place.words.t("compare_with")} value={shown} onChange={(since) => place.go({ since })} options={days.map((one) => [one, place.words.day(one)])} />
);

export const Change = ({ data, place }: { data: Row; place: Place }) => {
  const { t, count, money, day } = place.words;
  const rows: Row[] = data.rows;
  const before = total(rows, "spend_before"), after = total(rows, "spend_after");
  let at = before;
  const parts = rows.filter((row) => row.part !== "same").map((row) => ({ ...row, from: at, to: (at += row.spend_change) }));
  const most = Math.max(before, after, ...parts.map((part: Row) => Math.max(part.from, part.to)), 1);
  const largest = [...parts].sort((a: any, b: any) => Math.abs(b.spend_change) - Math.abs(a.spend_change))[0] as any;
  const signed = (value: number) => `${value > 0 ? "+" : ""}${money(value)}`;
  const shown = [
    { part: "before", amount: money(before), customers: "", from: 0, to: before, kind: "whole" },
    ...parts.map((part: any) => ({ part: part.part, amount: signed(part.spend_change), customers: count(part.customer_count), from: part.from, to: part.to, kind: part.spend_change < 0 ? "down" : "up" })),
    { part: "after", amount: money(after), customers: "", from: 0, to: after, kind: "whole" },
  ];
  return (
    <>
      {largest && <p className="fm-lead">{t("change_sentence", { day: day(data.from_as_of), change: signed(after - before), part: t(`change.${largest.part}`), amount: signed(largest.spend_change) })}</p>}
      <Table caption={t("change")} rows={shown} rowKey={(row) => row.part} columns={[
        { title: t("part"), isHeading: true, explain: t("change_explained"), show: (row) => t(`change.${row.part}`, { day: day(row.part === "before" ? data.from_as_of : data.as_of) }) },
        { title: t("customers"), isNumber: true, show: (row) => row.customers || "–" },
        { title: t("metric.total_spend_365_days"), isNumber: true, show: (row) => row.amount },
        { title: t("comparison"), show: (row) => <Step from={row.from} to={row.to} most={most} kind={row.kind} /> },
      ]} />
    </>
  );
};
