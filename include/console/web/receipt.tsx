// Where the numbers of a section come from: the SQL, its columns, the loads, models and runs behind it.

import { Answer, Row, useAnswer } from "./api";
import { Link, React, useState } from "./host";
import { Place } from "./navigation";

const Statement = ({ statement, place }: { statement: Row; place: Place }) => {
  const { t, count } = place.words;
  const [copied, setCopied] = useState(false);
  const copy = () => navigator.clipboard?.writeText(statement.sql).then(() => setCopied(true), () => undefined);
  return (
    <div className="fm-statement">
      <p>{t("receipt_rows", { name: statement.name, n: count(statement.row_count), role: t(`role.${statement.role}`) })}{" "}
        {navigator.clipboard && <button type="button" className="fm-button" onClick={copy}>{t(copied ? "copied" : "copy")}</button>}</p>
      <pre tabIndex={0} aria-label={t("receipt_sql", { name: statement.name })}><code>{statement.sql}</code></pre>
      <div className="fm-scroll">
        <table className="fm-table fm-top">
          <caption className="fm-hidden">{t("receipt_columns", { name: statement.name })}</caption>
          <thead><tr><th scope="col">{t("column")}</th><th scope="col">{t("unit")}</th><th scope="col">{t("meaning")}</th></tr></thead>
          <tbody>
            {statement.columns.map((column: Row) => (
              <tr key={column.name}><th scope="row" data-title={t("column")}><span><code>{column.name}</code></span></th><td data-title={t("unit")}><span>{column.unit ?? "–"}</span></td><td data-title={t("meaning")}><span lang="en">{column.meaning ?? "–"}</span></td></tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
};

const Sources = ({ receipt, place }: { receipt: Row; place: Place }) => {
  const { t, count, day, instant } = place.words;
  return (
    <dl className="fm-facts">
      {receipt.as_of && <div><dt>{t("as_of_label")}</dt><dd>{day(receipt.as_of)} ({t("excluding")})</dd></div>}
      {receipt.models?.map((model: Row) => <div key={model.module}><dt>{t("model")}</dt><dd>{model.model_version}</dd></div>)}
      {receipt.runs?.map((run: Row) => (
        <div key={run.airflow_run_id ?? "none"}><dt>{t("airflow_run")}</dt>
          <dd>{run.airflow_run_id ? <Link to={`/dags/${place.dag}/runs/${encodeURIComponent(run.airflow_run_id)}`}>{run.airflow_run_id}</Link> : t("no_airflow_run")} · {instant(run.finished_at)}</dd></div>
      ))}
      {receipt.loads?.map((load: Row) => (
        <div key={load.table_name}><dt><code>{load.table_name}</code></dt>
          <dd>{t("receipt_load", { n: count(load.row_count), slices: load.slices === 1 ? load.first_slice : `${load.first_slice} – ${load.last_slice}`, when: instant(load.loaded_at) })} <code title={load.manifests}>{load.manifests.slice(0, 12)}</code></dd></div>
      ))}
      <div><dt>{t("code_version")}</dt><dd><code>{receipt.code_version}</code></dd></div>
    </dl>
  );
};

export const Receipt = ({ title, answer, place }: { title: string; answer: Answer; place: Place }) => {
  const { t } = place.words;
  const [isOpen, setOpen] = useState(false);
  const { data, problem } = useAnswer(isOpen ? answer.path ?? null : null, { ...answer.params, receipt: "true" });
  const receipt = data?.receipt;
  return (
    <details className="fm-receipt" onToggle={(event: any) => setOpen(event.target.open)}>
      <summary aria-label={t("receipt_of", { title })}>{t("receipt")}</summary>
      {problem ? <p role="alert">{problem.detail}</p> : !isOpen ? null : !receipt ? <p className="fm-loading">{t("loading")}</p> : (
        <>
          <Sources receipt={receipt} place={place} />
          {receipt.statements.map((statement: Row, at: number) => <Statement key={`${statement.name}${at}`} statement={statement} place={place} />)}
        </>
      )}
    </details>
  );
};
