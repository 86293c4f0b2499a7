-- fact_customer_ltv: missing customers, and inconsistent values.
-- Params: :firm_sk, :as_of.

with staged as (

    select
        count(*) as customer_count,
        coalesce(sum(stg_ltv.total_historical_revenue), 0) as revenue,
        coalesce(sum(stg_ltv.predicted_clv_1_year), 0) as predicted
    from pg_temp.stg_ltv

),

loaded as (

    select
        count(*) as customer_count,
        coalesce(sum(fact_customer_ltv.total_historical_revenue), 0) as revenue,
        coalesce(sum(fact_customer_ltv.predicted_clv_1_year), 0) as predicted
    from analytics.fact_customer_ltv
    where
        fact_customer_ltv.firm_sk = :firm_sk
        and fact_customer_ltv.as_of = :as_of

),

tiers as (

    select
        fact_customer_ltv.tier_sk,
        min(fact_customer_ltv.value_percentile) as lowest,
        max(fact_customer_ltv.value_percentile) as highest
    from analytics.fact_customer_ltv
    where
        fact_customer_ltv.firm_sk = :firm_sk
        and fact_customer_ltv.as_of = :as_of
    group by fact_customer_ltv.tier_sk

)

select
    'loaded customers, revenue or predictions differ from what was staged' as fault,
    'staged ' || staged.customer_count || ' customers of ' || staged.revenue || ' and ' || staged.predicted
    || ', loaded ' || loaded.customer_count || ' of ' || loaded.revenue || ' and ' || loaded.predicted
        as sample
from staged
cross join loaded
where
    staged.customer_count <> loaded.customer_count
    or staged.revenue <> loaded.revenue
    or staged.predicted <> loaded.predicted

union all

select
    case
        when
            fact_customer_ltv.predicted_clv_1_year < 0
            or fact_customer_ltv.predicted_clv_1_year > fact_customer_ltv.predicted_clv_3_year + 0.001
            or fact_customer_ltv.predicted_clv_3_year > fact_customer_ltv.predicted_clv_lifetime + 0.001
            then 'value of a longer horizon is below that of a shorter one'
        when fact_customer_ltv.predicted_clv_1_year_low > fact_customer_ltv.predicted_clv_1_year_high
            then 'lower bound of the interval is above its upper bound'
        else 'expected next order is before as_of'
    end as fault,
    'customer_sk ' || fact_customer_ltv.customer_sk as sample
from analytics.fact_customer_ltv
where
    fact_customer_ltv.firm_sk = :firm_sk
    and fact_customer_ltv.as_of = :as_of
    and (
        fact_customer_ltv.predicted_clv_1_year < 0
        or fact_customer_ltv.predicted_clv_1_year > fact_customer_ltv.predicted_clv_3_year + 0.001
        or fact_customer_ltv.predicted_clv_3_year > fact_customer_ltv.predicted_clv_lifetime + 0.001
        or fact_customer_ltv.predicted_clv_1_year_low > fact_customer_ltv.predicted_clv_1_year_high
        or fact_customer_ltv.expected_next_order_date < fact_customer_ltv.as_of
    )

union all

-- Bounds of tiers are the firm's, and a snapshot keeps those it was made with: only the order is fixed.
select
    'value_percentile is outside its tier' as fault,
    'tiers ' || lower_tier.tier_sk || ' and ' || higher_tier.tier_sk as sample
from tiers as lower_tier
inner join tiers as higher_tier on lower_tier.tier_sk < higher_tier.tier_sk
where lower_tier.highest >= higher_tier.lowest;
