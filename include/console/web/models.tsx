// Models: which of them score and why, how candidates did in backtests, and drift since training.

import { useAnswer } from "./api";
import { React } from "./host";
import { Place } from "./navigation";
import { Badge, Section, Table } from "./parts";

export const Models = ({ place }: { place: Place }) => {
  const { t, count, day, decimal, percent, money, name, chance } = place.words;
  const models = useAnswer(`firms/${place.dag}/models`);
  const backtests = useAnswer(`firms/${place.dag}/backtests`, { limit: 40 });
  const share = (value: number | null) => percent(value === null ? null : 100 * value);
  return (
    <>
      <Section title={t("models")} answer={models} place={place} exports={[["drift"]]}>
        {({ rows }) => rows.length === 0 ? <p>{t("no_models")}</p> : (
          <Table caption={t("models")} rows={rows} rowKey={(row) => row.module + row.model_version} columns={[
            { title: t("model"), isHeading: true, show: (row) => row.model_version },
            { title: t("module"), show: (row) => name("module", row.module) },
            { title: t("method"), show: (row) => row.method },
            { title: t("trained_to"), show: (row) => day(row.anchor) },
            { title: t("leakage"), isNumber: true, show: (row) => !row.sentinel_checks ? "–" : `${count(row.sentinel_checks_passed)} / ${count(row.sentinel_checks)}` },
            { title: t("scores_now"), show: (row) => row.is_scoring === null ? "–" : row.is_scoring ? <Badge kind="good">{t("yes")}</Badge> : <Badge kind="plain" title={row.gate_reason}>{t("no")}</Badge> },
            { title: t("why"), show: (row) => row.gate_reason ?? row.reason },
          ]} />
        )}
      </Section>
      <Section title={t("drift")} lead={t("drift_lead")} answer={models} place={place}>
        {({ drift }) => drift.length === 0 ? <p>{t("no_drift")}</p> : (
          <Table caption={t("drift")} rows={drift} rowKey={(row) => row.module + row.as_of} columns={[
            { title: t("module"), isHeading: true, show: (row) => name("module", row.module) },
            { title: t("snapshot"), show: (row) => day(row.as_of) },
            { title: t("score_psi"), isNumber: true, explain: t("psi_explained"), show: (row) => decimal(row.score_psi, 2) },
            { title: t("feature_psi"), isNumber: true, explain: t("psi_explained"), show: (row) => decimal(row.feature_psi, 2) },
            { title: t("most_shifted"), show: (row) => row.most_shifted_feature ?? "–" },
            { title: t("predicted"), isNumber: true, show: (row) => row.module === "churn" ? chance(row.predicted_mean) : money(row.predicted_mean) },
            { title: t("happened"), isNumber: true, show: (row) => row.module === "churn" ? share(row.realised_mean) : money(row.realised_mean) },
            { title: t("result"), show: (row) => row.has_shifted ? <Badge kind="warn">{t("shifted")}</Badge> : <Badge kind="good">{t("not_shifted")}</Badge> },
          ]} />
        )}
      </Section>
      <Section title={t("backtests")} lead={t("backtests_lead")} answer={backtests} place={place}>
        {({ rows }) => rows.length === 0 ? <p>{t("no_backtests")}</p> : (
          <Table caption={t("backtests")} rows={rows} rowKey={(row) => `${row.module}${row.anchor}${row.candidate}${row.cutoff}${row.horizon_days}`} columns={[
            { title: t("candidate"), isHeading: true, show: (row) => <>{row.candidate} {row.is_champion && <Badge kind="good">{t("selected")}</Badge>}</> },
            { title: t("module"), show: (row) => name("module", row.module) },
            { title: t("trained_to"), show: (row) => day(row.anchor) },
            { title: t("tested_from"), show: (row) => t("window", { day: day(row.cutoff), n: count(row.horizon_days) }) },
            { title: t("customers"), isNumber: true, show: (row) => count(row.customers) },
            { title: "AUC", isNumber: true, show: (row) => decimal(row.auc, 3) },
            { title: t("brier"), isNumber: true, show: (row) => decimal(row.brier, 3) },
            { title: "ECE", isNumber: true, show: (row) => decimal(row.ece, 3) },
            { title: "Gini", isNumber: true, show: (row) => decimal(row.gini, 3) },
            { title: t("mean_error"), isNumber: true, show: (row) => money(row.mean_absolute_error) },
            { title: t("coverage"), isNumber: true, show: (row) => share(row.interval_coverage) },
          ]} />
        )}
      </Section>
    </>
  );
};
