-- fact_customer_rfm: missing customers, and inconsistent rows.
-- Params: :firm_sk, :as_of.

with staged as (

    select
        count(*) as customer_count,
        coalesce(sum(stg_rfm.total_spend), 0) as total_spend
    from pg_temp.stg_rfm

),

loaded as (

    select
        count(*) as customer_count,
        coalesce(sum(fact_customer_rfm.total_spend), 0) as total_spend
    from analytics.fact_customer_rfm
    where
        fact_customer_rfm.firm_sk = :firm_sk
        and fact_customer_rfm.as_of = :as_of

)

select
    'loaded customers or spend differ from what was staged' as fault,
    'staged ' || staged.customer_count || ' customers of ' || staged.total_spend
    || ', loaded ' || loaded.customer_count || ' of ' || loaded.total_spend as sample
from staged
cross join loaded
where
    staged.customer_count <> loaded.customer_count
    or staged.total_spend <> loaded.total_spend

union all

select
    case
        when
            fact_customer_rfm.last_order_date >= fact_customer_rfm.as_of
            or fact_customer_rfm.days_since_last_order
            <> fact_customer_rfm.as_of - fact_customer_rfm.last_order_date
            then 'days_since_last_order is not as_of minus last_order_date'
        when
            coalesce(fact_customer_rfm.rfm_score, '')
            <> coalesce(fact_customer_rfm.rfm_composite_score::text, '')
            then 'rfm_score is not made of the three scores'
        else 'a longer window has fewer orders than a shorter one'
    end as fault,
    'customer_sk ' || fact_customer_rfm.customer_sk as sample
from analytics.fact_customer_rfm
where
    fact_customer_rfm.firm_sk = :firm_sk
    and fact_customer_rfm.as_of = :as_of
    and (
        fact_customer_rfm.last_order_date >= fact_customer_rfm.as_of
        or fact_customer_rfm.days_since_last_order
        <> fact_customer_rfm.as_of - fact_customer_rfm.last_order_date
        or coalesce(fact_customer_rfm.rfm_score, '')
        <> coalesce(fact_customer_rfm.rfm_composite_score::text, '')
        or fact_customer_rfm.order_count_30_days > fact_customer_rfm.order_count_90_days
        or fact_customer_rfm.order_count_90_days > fact_customer_rfm.order_count_180_days
        or fact_customer_rfm.order_count_180_days > fact_customer_rfm.order_count_365_days
        or fact_customer_rfm.order_count_365_days > fact_customer_rfm.order_count
    );
