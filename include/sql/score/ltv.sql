-- fact_scorecard of value: predicted against realised net spend of each snapshot, over the firm's backtest
-- horizon and over a year, for every window covered by loaded sales. A snapshot is recomputed when one of its
-- loads has changed, so the order of runs has no effect.
-- Grain: as_of, horizon_days, decile. Params: :firm_key, :firm_sk, :scorer_sha256.

create temp table due_windows on commit drop as
with windows as materialized (

    select
        dim_snapshot.as_of,
        horizons.is_year,
        horizons.horizon_days,
        valued.model_version,
        valued.method,
        dim_snapshot.as_of + horizons.horizon_days as matured_on,
        control.window_made_from(
            :firm_key,
            dim_snapshot.fact_name,
            dim_snapshot.as_of,
            dim_snapshot.as_of + horizons.horizon_days,
            :scorer_sha256
        ) as made_from
    from analytics.dim_snapshot
    cross join
        lateral (
            select
                fact_customer_ltv.spend_horizon_days,
                fact_customer_ltv.model_version,
                fact_customer_ltv.method
            from analytics.fact_customer_ltv
            where
                fact_customer_ltv.firm_sk = :firm_sk
                and fact_customer_ltv.as_of = dim_snapshot.as_of
            order by fact_customer_ltv.customer_sk
            limit 1
        ) as valued
    cross join
        lateral (
            values
            (false, valued.spend_horizon_days),
            (true, 365)
        ) as horizons (is_year, horizon_days)
    where
        dim_snapshot.firm_sk = :firm_sk
        and dim_snapshot.fact_name = 'fact_customer_ltv'
        and horizons.horizon_days is not null
        and (horizons.is_year or horizons.horizon_days <> 365)
        and valued.method <> 'none'
        and dim_snapshot.as_of + horizons.horizon_days <= analytics.sales_loaded_until(:firm_sk)

)

select
    windows.as_of,
    windows.is_year,
    windows.horizon_days,
    windows.model_version,
    windows.method,
    windows.matured_on,
    windows.made_from
from windows
left join analytics.fact_scorecard
    on
        fact_scorecard.firm_sk = :firm_sk
        and fact_scorecard.module = 'ltv'
        and windows.as_of = fact_scorecard.as_of
        and windows.horizon_days = fact_scorecard.horizon_days
        and fact_scorecard.decile = 0
where
    windows.made_from is not null
    and windows.made_from is distinct from fact_scorecard.made_from;

delete from analytics.fact_scorecard
using pg_temp.due_windows
where
    fact_scorecard.firm_sk = :firm_sk
    and fact_scorecard.module = 'ltv'
    and fact_scorecard.as_of = due_windows.as_of
    and fact_scorecard.horizon_days = due_windows.horizon_days;

-- Returns are negative in fact_sales.
with spent as (

    select
        due_windows.as_of,
        due_windows.horizon_days,
        fact_sales.customer_sk,
        sum(fact_sales.net_amount) as net_spend
    from pg_temp.due_windows
    inner join analytics.fact_sales
        on
            fact_sales.firm_sk = :firm_sk
            and due_windows.as_of <= fact_sales.order_date
            and due_windows.matured_on > fact_sales.order_date
    group by
        due_windows.as_of,
        due_windows.horizon_days,
        fact_sales.customer_sk

),

expectations as (

    select
        due_windows.as_of,
        due_windows.horizon_days,
        fact_customer_ltv.customer_sk,
        fact_customer_ltv.total_reach,
        case
            when due_windows.is_year then fact_customer_ltv.expected_spend_1_year
            else fact_customer_ltv.expected_spend_horizon
        end as expected,
        case
            when due_windows.is_year then fact_customer_ltv.spend_deviation_1_year
            else fact_customer_ltv.spend_deviation_horizon
        end as deviation,
        case
            when due_windows.is_year then fact_customer_ltv.total_doubt_1_year
            else fact_customer_ltv.total_doubt_horizon
        end as doubt_share
    from pg_temp.due_windows
    inner join analytics.fact_customer_ltv
        on
            fact_customer_ltv.firm_sk = :firm_sk
            and due_windows.as_of = fact_customer_ltv.as_of

),

outcomes as (

    select
        expectations.as_of,
        expectations.horizon_days,
        expectations.total_reach,
        expectations.doubt_share,
        expectations.expected,
        cast(expectations.deviation as numeric) as deviation,
        coalesce(spent.net_spend, 0) as realised
    from expectations
    left join spent
        on
            expectations.as_of = spent.as_of
            and expectations.horizon_days = spent.horizon_days
            and expectations.customer_sk = spent.customer_sk
    where expectations.expected is not null

),

ranked as (

    select
        outcomes.as_of,
        outcomes.horizon_days,
        outcomes.expected,
        outcomes.realised,
        outcomes.deviation,
        outcomes.doubt_share,
        outcomes.total_reach,
        rank() over (
            partition by outcomes.as_of, outcomes.horizon_days
            order by outcomes.expected
        ) + (count(*) over (
            partition by outcomes.as_of, outcomes.horizon_days, outcomes.expected
        ) - 1) / 2.0 as expected_rank,
        rank() over (
            partition by outcomes.as_of, outcomes.horizon_days
            order by outcomes.realised
        ) + (count(*) over (
            partition by outcomes.as_of, outcomes.horizon_days, outcomes.realised
        ) - 1) / 2.0 as realised_rank,
        count(*) over (partition by outcomes.as_of, outcomes.horizon_days) as customers
    from outcomes

),

-- Equal predictions get the same rank and so the same decile.
placed as (

    select
        ranked.as_of,
        ranked.horizon_days,
        ranked.expected,
        ranked.realised,
        ranked.deviation,
        ranked.doubt_share,
        ranked.total_reach,
        ranked.expected_rank - (ranked.customers + 1) / 2.0 as expected_place,
        ranked.realised_rank - (ranked.customers + 1) / 2.0 as realised_place,
        1 + floor(10 * (ranked.expected_rank - 0.5) / ranked.customers) as decile
    from ranked

),

tallies as (

    select
        placed.as_of,
        placed.horizon_days,
        coalesce(placed.decile, 0) as decile,
        count(*) as customers,
        avg(placed.expected) as predicted_mean,
        avg(placed.realised) as realised_mean,
        sum(placed.expected) as predicted_total,
        sum(placed.realised) as realised_total,
        sum(placed.realised * placed.expected_place)
        / nullif(sum(placed.realised * placed.realised_place), 0) as gini,
        max(placed.total_reach) * sqrt(
            sum(placed.deviation ^ 2) + (max(placed.doubt_share) * sum(placed.expected)) ^ 2
        ) as room
    from placed
    group by grouping sets (
        (placed.as_of, placed.horizon_days),
        (placed.as_of, placed.horizon_days, placed.decile)
    )

),

distances as (

    select
        tallies.as_of,
        tallies.horizon_days,
        sum(abs(tallies.predicted_total - tallies.realised_total)) as distance
    from tallies
    where tallies.decile > 0
    group by
        tallies.as_of,
        tallies.horizon_days

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
    predicted_low,
    predicted_high,
    realised_total,
    lift,
    normalised_gini,
    calibration_error,
    made_from
)
select
    :firm_sk as firm_sk,
    'ltv' as module,
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
    case
        when tallies.decile = 0 and tallies.room is not null
            then greatest(tallies.predicted_total - tallies.room, 0)
    end as predicted_low,
    case when tallies.decile = 0 then tallies.predicted_total + tallies.room end as predicted_high,
    tallies.realised_total,
    tallies.realised_mean / nullif(whole.realised_mean, 0) as lift,
    case when tallies.decile = 0 then tallies.gini end as normalised_gini,
    case when tallies.decile = 0 then distances.distance / nullif(abs(tallies.realised_total), 0) end
        as calibration_error,
    due_windows.made_from
from tallies
inner join pg_temp.due_windows
    on
        tallies.as_of = due_windows.as_of
        and tallies.horizon_days = due_windows.horizon_days
inner join tallies as whole
    on
        tallies.as_of = whole.as_of
        and tallies.horizon_days = whole.horizon_days
        and whole.decile = 0
left join distances
    on
        tallies.as_of = distances.as_of
        and tallies.horizon_days = distances.horizon_days;
