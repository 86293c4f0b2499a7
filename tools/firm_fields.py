"""What each field of a firm's row means, in one sentence: for docs/configuration.md and the JSON schema.

Types, defaults and limits are not here: ``include/firms.py`` has them. A test compares the names with it.
"""

FIELDS = {
    "firm_key": (
        "The firm's key: in the DAG's id, in paths of handoffs and in every fact. It cannot be changed."
    ),
    "name": "The firm's name, as people read it.",
    "source": "Where the firm's data is read from.",
    "source.kind": "The kind of system: see docs/sources.md.",
    "source.conn_id": "Airflow connection of the firm's database. Give this or `uri`.",
    "source.uri": "Folder of the firm's files, `file:///...`. Give this or `conn_id`.",
    "source.schema": "Schema of the firm's tables in that database.",
    "source.layout": (
        "How the csv files are laid out: `online_retail`, `cdnow`, `mapped`, `auto` (any sales file) or a "
        "platform of docs/intake.md, such as `shopify_orders`."
    ),
    "source.mapping": (
        "Layout `mapped`: which column of the file is which, and how text is written. Layout `auto`: columns "
        "that their names do not tell. Odoo: the company."
    ),
    "source.options": "Layout `auto`: what no value of the files decides. See docs/intake.md, Questions.",
    "source.options.date_order": "Order of day, month and year where no value shows it.",
    "source.options.decimal_mark": "Decimal mark where no value shows it.",
    "source.options.currency": "Of files with several currencies, the one whose rows are kept.",
    "source.options.amount": "What the amount is, where the files have two or name it in no known way.",
    "source.options.price": "Whether a price is that of a unit or the total of its line.",
    "source.options.encoding": "Encoding of text files, such as cp1254.",
    "source.options.delimiter": "Delimiter of text files: one character, or `tab`.",
    "source.options.sheet": "Sheet of workbooks.",
    "source.options.header": "Whether the files have a header line.",
    "source.options.repeated_orders": (
        "Of an order that differs between two files: `last`, the last file by name is right; `all`, every "
        "file is."
    ),
    "source.understood": (
        "Layout `auto`: how files are written, one entry per header or style. `firms add` decides it, "
        "`firms accept` adds to it. A file that contradicts it stops the firm."
    ),
    "source.understood.header": "Names of the file's columns.",
    "source.understood.columns": "Our columns, and the file's that are read for them.",
    "source.understood.platform": "Platform of the export; empty for other files.",
    "source.understood.date_order": (
        "How dates are written: their order, `words` (month names) or `numbers` (Excel, epoch)."
    ),
    "source.understood.decimal_mark": "Decimal mark of amounts; empty where none shows it.",
    "source.understood.currency": "Currency that the files state; empty for the firm's.",
    "source.understood.amount": "What the net amount is.",
    "timezone": "Time zone of the firm's days, a name of the tz database such as Europe/London.",
    "currency": "Currency of all amounts, three letters of ISO 4217. Amounts are not converted.",
    "working_day_period": "Days between runs: 1 is daily, 7 is every Monday, 0 is only by hand.",
    "schedule_hour": "Hour of the day, in the firm's time zone, at which a scheduled run starts.",
    "schedule_minute": (
        "Minute of that hour. Left out: the key decides it, so that firms do not start all at once."
    ),
    "churn_threshold_days": (
        "A customer who does not buy for this many days has churned. It is also how far churn looks ahead."
    ),
    "min_spend": "Customers who spent less in all get no RFM scores.",
    "min_orders": "Customers with fewer orders get no RFM scores.",
    "lookback_days": (
        "Months that hold one of the last so many days are read again by each run; older ones are closed."
    ),
    "modules": "Parts of the pipeline to run. A list replaces the default, so repeat the modules you keep.",
    "engine": ("What runs the SQL over parquet files."),
    "language": "Language of sentences, factors and explanations.",
    "owner": "Owner of the DAG, as Airflow shows it.",
    "alerts": "Where a message about a final failure goes: Airflow connection ids, no secrets.",
    "alerts.webhook": "HTTP connection that gets the message as JSON.",
    "alerts.slack": "Slack webhook connection.",
    "alerts.smtp": "SMTP connection; `email_to` names the recipients.",
    "alerts.email_to": "E-mail addresses of the recipients.",
    "alerts.tier": "How urgent a failure is: messages of a `critical` firm are one severity higher.",
    "alerts.deadline_hours": (
        "Hours after the scheduled start at which the firm's facts must be there, or a message is sent."
    ),
    "rfm": "Recency, frequency and monetary value (RFM): scores and segments.",
    "rfm.window_days": "Orders and spend of this many days are scored.",
    "rfm.quantiles": "Where the five scores are cut: four rising shares of customers.",
    "rfm.min_customers": "A firm with fewer customers gets no scores.",
    "rfm.new_days": "A customer who first bought this many days ago or less is new.",
    "rfm.active_days": (
        "Active: the last order is this many days ago or less. After that the customer is at risk."
    ),
    "rfm.passive_days": (
        "At risk: the last order is this many days ago or less. After that the customer is passive."
    ),
    "rfm.segments": "A decision table of segments in place of the standard one; see docs/segments.md.",
    "rfm.segment_parents": "Wider segment of a segment, by code: `{champions: best, loyal: best}`.",
    "churn": "Churn risk.",
    "churn.category_bounds": "Percent of churn probability at which Medium, High and Critical begin.",
    "churn.band_bounds": "Churn probabilities at which the second and the third risk band begin.",
    "churn.decision_threshold": "Probability from which a customer is predicted to leave.",
    "churn.most_cutoffs": "A model is trained on at most so many past dates.",
    "churn.sample_customers": "At most so many customers are used for training.",
    "churn.min_customers": "With fewer customers no model is trained; rules score.",
    "churn.min_tenure_days": (
        "Customers whose first order is fewer days old get no churn score; `no_score_reason` is `too_new`."
    ),
    "churn.min_repeat_buyers": "With fewer repeat buyers no model is trained; rules score.",
    "churn.min_events": "With fewer customers who left, or who stayed, no model is trained; rules score.",
    "ltv": "Customer lifetime value (LTV).",
    "ltv.annual_discount_rate": "Rate at which future spend is discounted, per year: 0.10 is 10 %.",
    "ltv.margin_share": "Share of revenue that is margin, where the source gives no margins.",
    "ltv.min_customers": (
        "With fewer customers no model is fitted; a simpler rule is used and named in the row."
    ),
    "ltv.tier_bounds": (
        "Lowest value percentiles of the tiers bronze, silver, gold and platinum; the rest is basic."
    ),
    "ltv.tier_benefits": "What the firm gives the customers of a tier, by code: `{gold: free delivery}`.",
    "ltv.min_repeat_buyers": (
        "With fewer repeat buyers no model is fitted; a simpler rule is used and named in the row."
    ),
    "actions": "Recommended actions.",
    "actions.budget": "Money for the actions of a calendar quarter; empty: no limit.",
    "actions.holdout_share": (
        "Share of customers who are left alone on purpose, to measure the effect of actions."
    ),
    "actions.usual_share": (
        "Share of customers for whom the firm does what it would do without the plan, to compare with."
    ),
    "actions.require_consent": (
        "Whether an action needs known consent; no: only customers who refused are left out."
    ),
    "actions.contact_gap_days": "Days without a campaign message before an action; 0: no limit.",
    "actions.rules": "The firm's own rules, in place of the standard ones.",
    "actions.rules.action_code": "Name of the action.",
    "actions.rules.segments": "RFM segments that the rule is for; empty: all.",
    "actions.rules.risks": "Churn risk categories that the rule is for; empty: all.",
    "actions.rules.least_value": "Least predicted value of a customer that the rule is for.",
    "actions.rules.max_orders": "Only customers with at most so many orders so far; empty: all.",
    "actions.rules.unit_cost": "Cost of one action in the firm's currency.",
    "actions.rules.unit_cost_in_orders": (
        "Cost of one action in the firm's average orders, in place of `unit_cost`; `least_value` too."
    ),
    "actions.rules.expected_lift": (
        "Share of the customer's yearly value that the action is expected to keep or add."
    ),
    "actions.rules.explanation": "Sentence that is shown with the action.",
    "publish": "Where results are written back. Left out: nowhere, and the module `publish` is off.",
    "publish.conn_id": (
        "Airflow connection of the firm's own Postgres or Oracle database; goes with `schema`."
    ),
    "publish.schema": "Schema of that database which the tables are written to.",
    "publish.tables": "Which tables are written.",
    "publish.webhook": "HTTP connection that gets each customer's changes, signed.",
    "quality": "The firm's own limits of the quality gate: dataset, rule, limit. See docs/quality.md.",
    "retrain_months": "Models are trained on data up to the first day of every so many months (the anchor).",
    "is_benchmarked": "True: the firm shares its ratios and days for benchmarks, and sees the quartiles of "
    "all firms that share ([benchmarks](benchmarks.md)).",
    "dag_shape": (
        "Tasks of the firm's DAG: `staged`, one for each stage; `compact`, three (extract, compute, load), "
        "for installations of many small firms ([scale](scale.md))."
    ),
    "is_paused": "True: the firm is not scheduled.",
}
