// Were we right: each prediction whose window has passed, beside what happened.

import { Row } from "./api";
import { React } from "./host";
import { Place } from "./navigation";
import { Badge, Table } from "./parts";

/** Predicted and realised on one axis from zero; the table beside it has the same figures. */
const Comparison = ({ row, label }: { row: Row; label: string }) => {
  const most = 1.15 * Math.max(row.predicted_high ?? 0, row.predicted_total ?? 0, row.realised_total ?? 0, 1e-9);
  const at = (value: number) => `${((100 * value) / most).toFixed(2)}%`;
  return (
    <span className="fm-range" role="img" aria-label={label}>
      {row.predicted_low !== null && row.predicted_high !== null && (
        <span className="fm-range-interval" style={{ left: at(row.predicted_low), width: at(row.predicted_high - row.predicted_low) }} />
      )}
      <span className="fm-range-predicted" style={{ left: at(row.predicted_total) }} />
      <span className="fm-range-realised" style={{ left: at(row.realised_total) }} />
    </span>
  );
};

export const Scorecards = ({ rows, place }: { rows: Row[]; place: Place }) => {
  const { t, count, money, day, percent } = place.words;
  const shown = (row: Row, value: number | null) => (row.module === "ltv" ? money(value) : count(value));
  const whole = rows.filter((row) => row.decile === 0);
  const off = (row: Row) => row.realised_total ? (100 * (row.predicted_total - row.realised_total)) / row.realised_total : null;
  return (
    <>
      <ul className="fm-sentences">
        {whole.slice(0, 4).map((row) => (
          <li key={`${row.module}${row.predicted_as_of}${row.horizon_days}`}>
            {t(`score_${row.module}`, {
              day: day(row.predicted_as_of), days: count(row.horizon_days), customers: count(row.customers),
              predicted: shown(row, row.predicted_total), realised: shown(row, row.realised_total),
            })}
          </li>
        ))}
      </ul>
      <Table caption={t("were_we_right")} rows={whole} rowKey={(row) => `${row.module}${row.predicted_as_of}${row.horizon_days}`} columns={[
        { title: t("prediction"), isHeading: true, show: (row) => t(`what_${row.module}`, { days: count(row.horizon_days) }) },
        { title: t("made_on"), show: (row) => day(row.predicted_as_of) },
        { title: t("predicted"), isNumber: true, show: (row) => shown(row, row.predicted_total) },
        { title: t("interval"), isNumber: true, show: (row) => row.predicted_low === null ? t("no_interval") : t("range", { low: shown(row, row.predicted_low), high: shown(row, row.predicted_high) }) },
        { title: t("happened"), isNumber: true, show: (row) => shown(row, row.realised_total) },
        { title: t("difference"), isNumber: true, show: (row) => `${(off(row) ?? 0) > 0 ? "+" : ""}${percent(off(row))}` },
        { title: t("comparison"), show: (row) => <Comparison row={row} label={t("comparison_label", { predicted: shown(row, row.predicted_total), realised: shown(row, row.realised_total) })} /> },
        { title: t("result"), show: (row) => row.predicted_low === null ? <Badge kind="plain">{t("no_interval_result")}</Badge>
          : row.realised_total >= row.predicted_low && row.realised_total <= row.predicted_high
          ? <Badge kind="good">{t("inside")}</Badge> : <Badge kind="bad">{t("outside")}</Badge> },
      ]} />
      <p className="fm-legend">
        {[["interval", "key_interval"], ["predicted", "predicted"], ["realised", "happened"]].map(([kind, text]) => (
          <span key={kind} className="fm-key"><span className={`fm-key-${kind}`} />{t(text)}</span>
        ))}
      </p>
    </>
  );
};
