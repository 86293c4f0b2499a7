// Where the user is: everything is in the address, so that Back, reload and a shared link work.

import { Link, React, useLocation, useSearchParams } from "./host";
import { hostLanguage, Language, Words } from "./words";

export const ROUTE = "/plugin/firmament";
const OF_A_LIST = ["after", "segment", "tier", "risk", "activity", "recency", "frequency", "search", "sort", "order", "customer", "action", "since"];

export interface Place {
  dag: string; // the firm's DAG; empty for the list of firms
  view: string;
  asOf: string;
  words: Words;
  get: (name: string) => string;
  /** The search text of another place: what is not named stays, an empty text removes. */
  to: (changes: Record<string, string>) => string;
  go: (changes: Record<string, string>, options?: object) => void;
}

/** The place that the address names; inside a DAG's page the firm is that DAG's. */
export const usePlace = (fixedDag = "", currency = "USD", timezone = "UTC"): Place => {
  const [params, setParams] = useSearchParams();
  const get = (name: string) => params.get(name) ?? "";
  const merged = (changes: Record<string, string>) => {
    const next = new URLSearchParams(params);
    // Another firm or view begins without the filters of a list.
    if ("firm" in changes || "view" in changes) for (const name of OF_A_LIST) next.delete(name);
    for (const [name, value] of Object.entries(changes)) value ? next.set(name, value) : next.delete(name);
    return next;
  };
  const language = (["en", "tr"].includes(get("lang")) ? get("lang") : hostLanguage()) as Language;
  return {
    dag: fixedDag || get("firm"),
    view: get("view"),
    asOf: get("as_of"),
    words: new Words(language, currency, timezone),
    get,
    to: (changes) => `?${merged(changes)}`,
    go: (changes, options) => setParams(merged(changes), options),
  };
};

/** A link to another place of the console, on the same page of Airflow. */
export const To = ({ place, changes, children, ...rest }: any) => {
  const { pathname } = useLocation();
  return <Link to={{ pathname, search: place.to(changes) }} {...rest}>{children}</Link>;
};
