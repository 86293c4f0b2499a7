-- fact_customer_acquisition: missing leads, customers acquired twice, wrong days, unfinished windows.
-- Params: :firm_sk, :as_of.

select
    'acquisition missing from fact_customer_acquisition' as fault,
    stg_acquisitions.acquisition_id as sample
from pg_temp.stg_acquisitions
left join analytics.fact_customer_acquisition
    on
        fact_customer_acquisition.firm_sk = :firm_sk
        and fact_customer_acquisition.as_of = :as_of
        and stg_acquisitions.acquisition_id = fact_customer_acquisition.acquisition_id
where fact_customer_acquisition.acquisition_id is null

union all

select
    'customer acquired twice' as fault,
    'customer_sk ' || fact_customer_acquisition.customer_sk as sample
from analytics.fact_customer_acquisition
where
    fact_customer_acquisition.firm_sk = :firm_sk
    and fact_customer_acquisition.as_of = :as_of
    and fact_customer_acquisition.is_acquisition
group by fact_customer_acquisition.customer_sk
having count(*) > 1

union all

select
    'day on or after as_of, or conversion before the lead' as fault,
    fact_customer_acquisition.acquisition_id as sample
from analytics.fact_customer_acquisition
where
    fact_customer_acquisition.firm_sk = :firm_sk
    and fact_customer_acquisition.as_of = :as_of
    and (
        fact_customer_acquisition.lead_created_date >= :as_of
        or fact_customer_acquisition.conversion_date >= :as_of
        or fact_customer_acquisition.acquired_date >= :as_of
        or fact_customer_acquisition.first_order_date >= :as_of
        or fact_customer_acquisition.conversion_date < fact_customer_acquisition.lead_created_date
    )

union all

select
    'revenue of an unfinished window, or none of a finished one' as fault,
    fact_customer_acquisition.acquisition_id as sample
from analytics.fact_customer_acquisition
where
    fact_customer_acquisition.firm_sk = :firm_sk
    and fact_customer_acquisition.as_of = :as_of
    and (
        (fact_customer_acquisition.revenue_30_days is not null)
        <> coalesce(fact_customer_acquisition.acquired_date + 30 <= :as_of, false)
        or (fact_customer_acquisition.revenue_90_days is not null)
        <> coalesce(fact_customer_acquisition.acquired_date + 90 <= :as_of, false)
        or (fact_customer_acquisition.revenue_365_days is not null)
        <> coalesce(fact_customer_acquisition.acquired_date + 365 <= :as_of, false)
    );
