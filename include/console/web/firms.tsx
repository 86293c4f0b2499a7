// The firms that the user may see: is each one current, did its last run work, what are its modules.

import { Row, useAnswer } from "./api";
import { React } from "./host";
import { Place, To } from "./navigation";
import { Badge, Message, Section, Table } from "./parts";

export const Freshness = ({ firm, place }: { firm: Row; place: Place }) => {
  const { t, day } = place.words;
  if (!firm.as_of) return <Badge kind="bad">{t("no_snapshot")}</Badge>;
  const badge = firm.is_paused ? <Badge kind="plain">{t("paused")}</Badge>
    : firm.is_late ? <Badge kind="bad">{t("late", { day: day(firm.due_as_of) })}</Badge>
    : firm.due_as_of ? <Badge kind="good">{t("current")}</Badge>
    : <Badge kind="plain">{t("by_hand")}</Badge>;
  return <>{day(firm.as_of)} {badge}</>;
};

export const LastRun = ({ firm, place }: { firm: Row; place: Place }) => {
  const { t, day, name } = place.words;
  if (!firm.run_as_of) return <>{t("never_run")}</>;
  const isDone = ["done", "skipped"].includes(firm.run_status);
  return (
    <>
      <Badge kind={isDone ? "good" : firm.run_status === "running" ? "plain" : "bad"} title={firm.run_message}>
        {isDone ? t("run_done") : t("run_at", { stage: name("stage", firm.run_stage), status: firm.run_status })}
      </Badge>{" "}
      {t("as_of", { day: day(firm.run_as_of) })}
    </>
  );
};

export const Quality = ({ firm, place }: { firm: Row; place: Place }) => {
  const { t, count, money } = place.words;
  if (!firm.checks) return <>{t("no_checks")}</>;
  const kind = firm.failed_critical ? "bad" : firm.failed_warnings ? "mild" : "good";
  const text = firm.failed_critical ? t("failed_critical", { n: count(firm.failed_critical) })
    : firm.failed_warnings ? t("failed_warnings", { n: count(firm.failed_warnings), of: count(firm.checks) })
    : t("all_checks", { of: count(firm.checks) });
  return (
    <>
      <Badge kind={kind}>{text}</Badge>
      {firm.rejected_rows ? <> {t("rejected", { n: count(firm.rejected_rows), money: money(firm.rejected_amount) })}</> : null}
    </>
  );
};

export const Modules = ({ firm, place }: { firm: Row; place: Place }) => {
  const lacking = new Map<string, string>((firm.insufficient_modules ?? []).map((one: Row) => [one.module, one.reason]));
  return (
    <ul className="fm-chips">
      {(firm.modules ?? []).map((module: string) => (
        <li key={module}>
          <Badge kind={lacking.has(module) ? "warn" : "plain"} title={lacking.get(module)}>
            {place.words.name("module", module)}{lacking.has(module) && <span className="fm-hidden">: {lacking.get(module)}</span>}
          </Badge>
        </li>
      ))}
    </ul>
  );
};

export const Firms = ({ place }: { place: Place }) => {
  const { t, count } = place.words;
  const answer = useAnswer("firms");
  return (
    <Section title={t("firms")} lead={t("firms_lead")} answer={answer} place={place}>
      {({ firms }) => firms.length === 0 ? <Message title={t("no_firms")} action={t("no_firms_action")} /> : (
        <Table caption={t("firms")} rows={firms} rowKey={(row) => row.firm_key} className="fm-top" columns={[
          { title: t("firm"), isHeading: true, show: (row) => <To place={place} changes={{ firm: row.dag_id, view: "", as_of: "" }}>{row.firm_name}</To> },
          { title: t("snapshot"), show: (row) => <Freshness firm={row} place={place} /> },
          { title: t("customers"), isNumber: true, show: (row) => count(row.customers) },
          { title: t("last_run"), show: (row) => <LastRun firm={row} place={place} /> },
          { title: t("quality"), show: (row) => <Quality firm={row} place={place} /> },
          { title: t("modules"), show: (row) => <Modules firm={row} place={place} /> },
        ]} />
      )}
    </Section>
  );
};
