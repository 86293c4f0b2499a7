// Links to a list as a file. The browser saves it: no script holds the rows.

import { address, Answer, Params } from "./api";
import { React } from "./host";
import { Place } from "./navigation";

const KINDS = ["csv", "xlsx", "parquet"];
// The lists of the API that are files too, by the end of their path: include/console/export_routes.py.
const LISTS = ["segments", "rfm-scores", "cohorts", "risk", "factors", "tiers", "scorecards", "metrics", "insight", "migrations", "change", "customers", "at-risk", "actions", "actions-effects", "actions-customers", "timeline", "modules", "models", "quality", "runs", "products", "product-stages", "next-products", "customer-next", "incidents", "quality-history", "backtests", "pipeline"];

export const Exports = ({ title, answer, place, extra = [] }: { title: string; answer: Answer; place: Place; extra?: [string, Params?][] }) => {
  const { t } = place.words;
  const [, , ...rest] = (answer.path ?? "").split("/");
  const own = rest.join("-");
  const { after, limit, ...params } = answer.params ?? {};
  const lists: [string, Params?][] = [...(LISTS.includes(own) && answer.data?.rows?.length ? [[own, params] as [string, Params]] : []), ...extra];
  return (
    <>
      {lists.map(([list, given]) => (
        <p key={list} className="fm-exports">
          <span>{t(`export.${list === own ? "this" : list}`)}</span>
          {KINDS.map((kind) => (
            <a key={kind} href={address(`firms/${place.dag}/exports/${list}.${kind}`, given ?? params)} download aria-label={t("export_as", { title, kind: kind.toUpperCase() })}>{kind.toUpperCase()}</a>
          ))}
        </p>
      ))}
    </>
  );
};
