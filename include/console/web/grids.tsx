// Two grids that are also tables: RFM scores, and how many of a month's new customers came back.

import { Row } from "./api";
import { React } from "./host";
import { Place, To } from "./navigation";

// One colour that becomes stronger; at most 45 % of it, so that the text keeps its contrast in both themes.
const shade = (share: number) => ({ background: `color-mix(in srgb, var(--fm-scale) ${Math.round(45 * Math.max(0, Math.min(1, share)))}%, transparent)` });

const DIGITS = [1, 2, 3, 4, 5];

export const RfmGrid = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, brief } = place.words;
  const cells = new Map<string, { customers: number; revenue: number }>();
  for (const row of rows) {
    const key = `${row.recency_score}${row.frequency_score}`;
    const cell = cells.get(key) ?? { customers: 0, revenue: 0 };
    cells.set(key, { customers: cell.customers + row.customer_count, revenue: cell.revenue + (row.total_revenue ?? 0) });
  }
  const most = Math.max(1, ...[...cells.values()].map((cell) => cell.customers));
  return (
    <>
      <div className="fm-scroll">
        <table className="fm-grid fm-scores">
          <caption className="fm-hidden">{t("rfm_grid")}</caption>
          <thead>
            <tr><td />{DIGITS.map((f) => <th key={f} scope="col">{t("frequency_n", { n: f })}</th>)}</tr>
          </thead>
          <tbody>
            {[...DIGITS].reverse().map((r) => (
              <tr key={r}>
                <th scope="row">{t("recency_n", { n: r })}</th>
                {DIGITS.map((f) => {
                  const cell = cells.get(`${r}${f}`);
                  return (
                    <td key={f} style={shade((cell?.customers ?? 0) / most)}>
                      {cell ? (
                        <To place={place} changes={{ view: "customers", recency: String(r), frequency: String(f) }}>
                          <span className="fm-hidden">{t("rfm_cell", { r, f })}</span>
                          <strong>{count(cell.customers)}</strong><small>{brief(cell.revenue, 0)}</small>
                        </To>
                      ) : <span className="fm-muted">–</span>}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p className="fm-legend">{t("rfm_legend")}</p>
    </>
  );
};

const FEW = 30; // a share of fewer customers than this is shown in grey

export const Cohorts = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, percent, month } = place.words;
  const months = [...new Set(rows.map((row) => row.cohort_month as string))].sort().slice(-18);
  const by = new Map(rows.map((row) => [`${row.cohort_month}/${row.months_since_acquisition}`, row]));
  const ages = Math.max(0, ...rows.filter((row) => months.includes(row.cohort_month)).map((row) => row.months_since_acquisition));
  const columns = Array.from({ length: Math.min(ages, 12) }, (_, at) => at + 1);
  const most = Math.max(1, ...rows.filter((row) => row.months_since_acquisition > 0 && row.cohort_size >= FEW).map((row) => row.retention_pct ?? 0));
  return (
    <>
      <div className="fm-scroll">
        <table className="fm-grid fm-cohorts">
          <caption className="fm-hidden">{t("cohorts")}</caption>
          <thead>
            <tr><th scope="col">{t("first_order")}</th><th scope="col">{t("new_customers")}</th>{columns.map((age) => <th key={age} scope="col">{t("month_n", { n: age })}</th>)}</tr>
          </thead>
          <tbody>
            {months.map((first) => {
              const size = by.get(`${first}/0`)?.cohort_size ?? rows.find((row) => row.cohort_month === first)?.cohort_size;
              return (
                <tr key={first}>
                  <th scope="row">{month(first)}</th>
                  <td>{count(size)}</td>
                  {columns.map((age) => {
                    const row = by.get(`${first}/${age}`);
                    if (!row) return <td key={age} className="fm-blank" />;
                    const isFew = row.cohort_size < FEW;
                    return (
                      <td key={age} className={`${isFew ? "fm-few" : ""} ${row.is_complete ? "" : "fm-open"}`}
                        style={isFew ? undefined : shade((row.retention_pct ?? 0) / most)}
                        title={t("cohort_cell", { active: count(row.active_customers), of: count(row.cohort_size) })}>
                        {percent(row.retention_pct, 0)}
                      </td>
                    );
                  })}
                </tr>
              );
            })}
          </tbody>
        </table>
      </div>
      <p className="fm-legend">{t("cohort_legend", { few: FEW })}</p>
    </>
  );
};
