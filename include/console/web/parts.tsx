// The small parts that every page is made of.

import { Answer, Nothing, Params, Problem, Row } from "./api";
import { Exports } from "./exports";
import { React, useId } from "./host";
import { Place, To } from "./navigation";
import { Receipt } from "./receipt";

export const Message = ({ title, detail, action, kind = "info" }: any) => (
  <div className={`fm-message fm-${kind}`} role={kind === "error" ? "alert" : "status"}>
    <strong>{title}</strong>
    {detail && <p>{detail}</p>}
    {action && <p className="fm-action">{action}</p>}
  </div>
);

export const ProblemMessage = ({ problem, place }: { problem: Problem; place: Place }) => (
  <Message kind="error" title={place.words.t("problem")} detail={problem.detail} action={problem.action} />
);

export const NothingMessage = ({ nothing, place }: { nothing?: Nothing; place: Place }) => (
  <Message title={place.words.t("nothing")} detail={nothing?.reason} action={nothing?.action} />
);

/** A section of a page: its heading, and its content once the answer is here. */
export const Section = ({ title, lead, answer, place, children, exports, id }: { title: string; lead?: string; answer: Answer; place: Place; children: (data: any) => any; exports?: [string, Params?][]; id?: string }) => {
  const heading = useId();
  const { data, problem, isLoading } = answer;
  return (
    <section className="fm-section" aria-labelledby={heading} aria-busy={isLoading} id={id}>
      <h2 id={heading}>{title}</h2>
      {lead && <p className="fm-lead">{lead}</p>}
      {problem ? <ProblemMessage problem={problem} place={place} />
        : data === undefined ? <p className="fm-loading">{place.words.t("loading")}</p>
        : data.nothing && !data.rows?.length ? <NothingMessage nothing={data.nothing} place={place} />
        : children(data)}
      {data !== undefined && !problem && answer.path && (
        <footer className="fm-foot">
          <Exports title={title} answer={answer} place={place} extra={exports} />
          <Receipt key={answer.path} title={title} answer={answer} place={place} />
        </footer>
      )}
    </section>
  );
};

export interface Column {
  title: string;
  show: (row: Row) => any;
  isNumber?: boolean;
  isHeading?: boolean; // of its row
  explain?: string;
}

/** A table; on a narrow screen each row becomes a card with the titles beside the values. */
export const Table = ({ caption, columns, rows, rowKey, className = "" }: { caption: string; columns: Column[]; rows: Row[]; rowKey: (row: Row) => string; className?: string }) => (
  <div className="fm-scroll">
    <table className={`fm-table ${className}`}>
      <caption className="fm-hidden">{caption}</caption>
      <thead>
        <tr>{columns.map((column) => <th key={column.title} scope="col" className={column.isNumber ? "fm-n" : ""} title={column.explain}>{column.title}</th>)}</tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={rowKey(row)}>
            {columns.map((column) => {
              const Cell = column.isHeading ? "th" : "td";
              return (
                <Cell key={column.title} scope={column.isHeading ? "row" : undefined} className={column.isNumber ? "fm-n" : ""} data-title={column.title}>
                  <span>{column.show(row) ?? "–"}</span>
                </Cell>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  </div>
);

/** A share of the largest value as a bar beside the figure; the figure itself is the text. */
export const Bar = ({ value, most, children }: { value: number; most: number; children: any }) => (
  <span className="fm-bar">
    <span className="fm-bar-track" aria-hidden="true"><span style={{ width: `${most > 0 ? Math.max(0, Math.min(100, (100 * value) / most)) : 0}%` }} /></span>
    <span>{children}</span>
  </span>
);

export const Badge = ({ kind, children, title }: any) => <span className={`fm-badge fm-badge-${kind}`} title={title}>{children}</span>;

const RISKS: Record<string, string> = { Critical: "bad", High: "warn", Medium: "mild", Low: "good" };
export const Risk = ({ category, place }: { category?: string | null; place: Place }) =>
  category ? <Badge kind={RISKS[category] ?? "plain"}>{place.words.name("risk", category)}</Badge> : <>–</>;

/** Links to the first and the next page of a list. */
export const Pages = ({ data, place }: { data: Row; place: Place }) => (
  <nav className="fm-pages" aria-label={place.words.t("pages")}>
    {place.get("after") && <To place={place} changes={{ after: "" }} className="fm-button">{place.words.t("first_page")}</To>}
    {data.next && <To place={place} changes={{ after: data.next }} className="fm-button">{place.words.t("next_page")}</To>}
  </nav>
);

export const Select = ({ label, value, options, onChange }: { label: string; value: string; options: [string, string][]; onChange: (value: string) => void }) => (
  <label className="fm-field">
    <span>{label}</span>
    <select value={value} onChange={(event: any) => onChange(event.target.value)}>
      {options.map(([code, text]) => <option key={code} value={code}>{text}</option>)}
    </select>
  </label>
);
