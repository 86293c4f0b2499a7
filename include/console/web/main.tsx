// The three components that Airflow's page shows: in the navigation, on each DAG, and on the home page.

import { Actions } from "./actions";
import { address, Row, useAnswer } from "./api";
import { Since } from "./change";
import { Customer } from "./customer";
import { AtRisk, Customers } from "./customers";
import { Firm } from "./firm";
import { Firms, Freshness } from "./firms";
import { isComplete, Link, React } from "./host";
import { Models } from "./models";
import { Place, ROUTE, To, usePlace } from "./navigation";
import { Operations } from "./operations";
import { Message, ProblemMessage, Select } from "./parts";
import { Products } from "./products";
import { Quality } from "./quality";
import style from "./style.css";

const PREFIX = "firm_";
const VIEWS = ["", "customers", "at-risk", "actions", "products", "quality", "models", "operations"];
const PAGES: Record<string, any> = { "": Firm, customers: Customers, customer: Customer, "at-risk": AtRisk, actions: Actions, products: Products, quality: Quality, models: Models, operations: Operations };

const Root = ({ words, children }: any) => (
  <div className="fm" lang={words.language}>
    <style>{style}</style>
    {children}
  </div>
);

const Languages = ({ place }: { place: Place }) => (
  <span className="fm-languages">
    {[["en", "English"], ["tr", "Türkçe"]].map(([code, text]) => (
      <To key={code} place={place} changes={{ lang: code }} lang={code} aria-current={place.words.language === code ? "true" : undefined}>{text}</To>
    ))}
  </span>
);

const OneFirm = ({ fixedDag }: { fixedDag?: string }) => {
  const start = usePlace(fixedDag);
  const { data, problem } = useAnswer(`firms/${start.dag}`);
  const place = usePlace(fixedDag, data?.currency ?? "USD", data?.timezone ?? "UTC");
  const { t, day } = place.words;
  const earlier = (data?.snapshots ?? []).filter((one: string) => one < (place.asOf || data.snapshots[0]));
  const Page = PAGES[place.view] ?? Firm;
  return (
    <Root words={place.words}>
      <header className="fm-head">
        <div>
          {!fixedDag && <p className="fm-crumb"><To place={place} changes={{ firm: "", view: "", as_of: "" }}>{t("firms")}</To></p>}
          <h1>{data?.firm_name ?? place.dag.replace(PREFIX, "")}</h1>
          {data && <p className="fm-muted"><Freshness firm={data} place={place} /> · {t("excluding")} · {data.timezone}</p>}
        </div>
        <div className="fm-controls">
          {data?.snapshots?.length > 0 && (
            <Select label={t("as_of_label")} value={place.asOf || data.snapshots[0]} onChange={(value) => place.go({ as_of: value === data.snapshots[0] ? "" : value, after: "", since: "" })}
              options={data.snapshots.map((one: string) => [one, day(one)])} />
          )}
          {earlier.length > 0 && place.view === "" && <Since place={place} days={earlier} shown={place.get("since") || earlier[0]} />}
          <Languages place={place} />
        </div>
      </header>
      <nav className="fm-tabs" aria-label={t("views")}>
        {VIEWS.map((view) => (
          <To key={view} place={place} changes={{ view }} aria-current={place.view === view || (view === "customers" && place.view === "customer") ? "page" : undefined}>{t(`view.${view || "firm"}`)}</To>
        ))}
      </nav>
      {problem ? <ProblemMessage problem={problem} place={place} /> : <Page place={place} />}
    </Root>
  );
};

const Console = () => {
  const place = usePlace();
  if (place.dag) return <OneFirm />;
  return (
    <Root words={place.words}>
      <header className="fm-head"><h1>{place.words.t("title")}</h1><div className="fm-controls"><Languages place={place} /></div></header>
      <Firms place={place} />
      <p className="fm-muted"><a href={address("openapi.json")}>{place.words.t("api")}</a></p>
    </Root>
  );
};

const FirmTab = ({ dagId }: { dagId?: string }) => {
  const { words } = usePlace();
  if (!dagId?.startsWith(PREFIX)) return <Root words={words}><p className="fm-muted">{words.t("other_dag")}</p></Root>;
  return <OneFirm fixedDag={dagId} />;
};

const Home = () => {
  const place = usePlace();
  const { t, count } = place.words;
  const { data, problem } = useAnswer("firms");
  const firms: Row[] = data?.firms ?? [];
  const late = firms.filter((firm) => firm.is_late).length;
  return (
    <Root words={place.words}>
      <section className="fm-section fm-home" aria-label={t("title")}>
        <h2><Link to={ROUTE}>{t("title")}</Link></h2>
        {problem ? <p>{problem.detail} {problem.action}</p> : !data ? <p>{t("loading")}</p> : (
          <>
            <p>{t("home", { n: count(firms.length), late: count(late) })}</p>
            <ul className="fm-home-list">
              {firms.slice(0, 6).map((firm) => (
                <li key={firm.firm_key}><Link to={`${ROUTE}?firm=${firm.dag_id}`}>{firm.firm_name}</Link> <Freshness firm={firm} place={place} /></li>
              ))}
            </ul>
          </>
        )}
      </section>
    </Root>
  );
};

// Without React's globals (Airflow before 3.2, or a changed host) a text is all that can be shown.
const plain = (Component: any) => (isComplete ? Component
  : () => `Firmament's console needs Airflow 3.2 or newer, whose page shares React. The same numbers: ${address("firms")}`);

for (const [name, Component] of Object.entries({ Firmament: Console, "Customer analytics": FirmTab, "Firmament home": Home })) (globalThis as any)[name] = plain(Component);
