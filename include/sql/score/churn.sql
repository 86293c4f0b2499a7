-- fact_scorecard of churn: predicted against realised churn, for every snapshot whose window is covered by
-- loaded sales. A snapshot is recomputed when one of its loads has changed, whatever the order of days.
-- Sums are of numerics, so the order of rows is irrelevant too.
-- Grain: as_of, decile. Params: :firm_key, :firm_sk, :scorer_sha256.

create temp table due_windows on commit drop as
with windows as materialized (

    select
        dim_snapshot.as_of,
        scored.horizon_days,
        scored.model_version,
        scored.method,
        dim_snapshot.as_of + scored.horizon_days as matured_on,
        control.window_made_from(
            :firm_key,
            dim_snapshot.fact_name,
            dim_snapshot.as_of,
            dim_snapshot.as_of + scored.horizon_days,
            :scorer_sha256
        ) as made_from
    from analytics.dim_snapshot
    cross join
        lateral (
            select
                fact_customer_churn_risk.horizon_days,
                fact_customer_churn_risk.model_version,
                fact_customer_churn_risk.method
            from analytics.fact_customer_churn_risk
            where
                fact_customer_churn_risk.firm_sk = :firm_sk
                and fact_customer_churn_risk.as_of = dim_snapshot.as_of
            order by fact_customer_churn_risk.customer_sk
            limit 1
        ) as scored
    where
        dim_snapshot.firm_sk = :firm_sk
        and dim_snapshot.fact_name = 'fact_customer_churn_risk'
        and dim_snapshot.as_of + scored.horizon_days <= analytics.sales_loaded_until(:firm_sk)

)

select
    windows.as_of,
    windows.horizon_days,
    windows.model_version,
    windows.method,
    windows.matured_on,
    windows.made_from
from windows
left join analytics.fact_scorecard
    on
        fact_scorecard.firm_sk = :firm_sk
        and fact_scorecard.module = 'churn'
        and windows.as_of = fact_scorecard.as_of
        and fact_scorecard.decile = 0
where
    windows.made_from is not null
    and windows.made_from is distinct from fact_scorecard.made_from;

delete from analytics.fact_scorecard
using pg_temp.due_windows
where
    fact_scorecard.firm_sk = :firm_sk
    and fact_scorecard.module = 'churn'
    and fact_scorecard.as_of = due_windows.as_of;

-- An order that spans midnight counts on the day of its first line, as in the training label.
with buyers as (

    select distinct
        due_windows.as_of,
        fact_sales.customer_sk
    from pg_temp.due_windows
    inner join analytics.fact_sales
        on
            fact_sales.firm_sk = :firm_sk
            and due_windows.as_of <= fact_sales.order_date
            and due_windows.matured_on > fact_sales.order_date
    left join analytics.fact_sales as begun
        on
            begun.firm_sk = :firm_sk
            and begun.kind = 'sale'
            and fact_sales.customer_sk = begun.customer_sk
            and fact_sales.transaction_id = begun.transaction_id
            and due_windows.as_of > begun.order_date
    where
        fact_sales.kind = 'sale'
        and begun.customer_sk is null

),

outcomes as (

    select
        due_windows.as_of,
        cast(fact_customer_churn_risk.churn_probability as numeric) as churn_probability,
        coalesce(
            fact_customer_churn_risk.churn_probability,
            fact_customer_churn_risk.churn_risk_score / 100.0
        ) as risk,
        case when buyers.customer_sk is null then 1.0 else 0.0 end as churned
    from pg_temp.due_windows
    inner join analytics.fact_customer_churn_risk
        on
            fact_customer_churn_risk.firm_sk = :firm_sk
            and due_windows.as_of = fact_customer_churn_risk.as_of
    left join buyers
        on
            due_windows.as_of = buyers.as_of
            and fact_customer_churn_risk.customer_sk = buyers.customer_sk
    where fact_customer_churn_risk.churn_risk_score is not null

),

ranked as (

    select
        outcomes.as_of,
        outcomes.churn_probability,
        outcomes.churned,
        rank() over (
            partition by outcomes.as_of
            order by outcomes.risk
        ) as first_rank,
        count(*) over (partition by outcomes.as_of, outcomes.risk) as tied_customers,
        count(*) over (partition by outcomes.as_of) as customers
    from outcomes

),

-- Equal predictions get the same rank and so the same decile.
placed as (

    select
        ranked.as_of,
        ranked.churn_probability,
        ranked.churned,
        ranked.first_rank + (ranked.tied_customers - 1) / 2.0 as middle_rank,
        1
        + floor(10 * (ranked.first_rank + (ranked.tied_customers - 1) / 2.0 - 0.5) / ranked.customers)
            as decile,
        least(floor(ranked.churn_probability * 10), 9) as probability_bin
    from ranked

),

bins as (

    select
        placed.as_of,
        abs(sum(placed.churn_probability) - sum(placed.churned)) as distance
    from placed
    where placed.churn_probability is not null
    group by
        placed.as_of,
        placed.probability_bin

),

distances as (

    select
        bins.as_of,
        sum(bins.distance) as distance
    from bins
    group by bins.as_of

),

tallies as (

    select
        placed.as_of,
        coalesce(placed.decile, 0) as decile,
        count(*) as customers,
        avg(placed.churn_probability) as predicted_mean,
        avg(placed.churned) as realised_mean,
        sum(placed.churn_probability) as predicted_total,
        sum(placed.churned) as realised_total,
        avg((placed.churn_probability - placed.churned) ^ 2) as brier,
        (
            sum(placed.middle_rank * placed.churned)
            - sum(placed.churned) * (sum(placed.churned) + 1) / 2
        ) / nullif(sum(placed.churned) * sum(1 - placed.churned), 0) as auc
    from placed
    group by grouping sets (
        (placed.as_of),
        (placed.as_of, placed.decile)
    )

)

insert into analytics.fact_scorecard (
    firm_sk,
    module,
    as_of,
    decile,
    horizon_days,
    matured_on,
    model_version,
    method,
    customers,
    predicted_mean,
    realised_mean,
    predicted_total,
    realised_total,
    lift,
    auc,
    normalised_gini,
    brier,
    calibration_error,
    made_from
)
select
    :firm_sk as firm_sk,
    'churn' as module,
    due_windows.as_of,
    tallies.decile,
    due_windows.horizon_days,
    due_windows.matured_on,
    due_windows.model_version,
    due_windows.method,
    tallies.customers,
    tallies.predicted_mean,
    tallies.realised_mean,
    tallies.predicted_total,
    tallies.realised_total,
    tallies.realised_mean / nullif(whole.realised_mean, 0) as lift,
    case when tallies.decile = 0 then tallies.auc end as auc,
    case when tallies.decile = 0 then 2 * tallies.auc - 1 end as normalised_gini,
    case when tallies.decile = 0 then tallies.brier end as brier,
    case when tallies.decile = 0 then distances.distance / tallies.customers end as calibration_error,
    due_windows.made_from
from tallies
inner join pg_temp.due_windows on tallies.as_of = due_windows.as_of
inner join tallies as whole
    on
        tallies.as_of = whole.as_of
        and whole.decile = 0
left join distances on tallies.as_of = distances.as_of;
