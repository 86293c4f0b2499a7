-- fact_customer_ltv: replaces one snapshot of a firm. What compares with the snapshot of 30 days before is
-- derived here, and anew for the snapshots that compare with this one: they may be loaded in any order.
-- Grain: customer_sk, as_of. Params: :firm_sk, :as_of, :manifest_token.

select analytics.add_customers(
    :firm_sk,
    array(select stg_ltv.customer_id from pg_temp.stg_ltv)
) as added;

delete from analytics.fact_customer_ltv
where
    fact_customer_ltv.firm_sk = :firm_sk
    and fact_customer_ltv.as_of = :as_of;

insert into analytics.fact_customer_ltv (
    firm_sk,
    as_of,
    date_sk,
    customer_sk,
    tier_sk,
    manifest_token
    /*, every column of ltv but customer_id, tier_code, tier_level */
)
select
    :firm_sk as firm_sk,
    dim_date.date_actual as as_of,
    dim_date.date_sk,
    dim_customer.customer_sk,
    dim_customer_tier.tier_sk,
    :manifest_token as manifest_token
    /*, the same columns of stg_ltv */
from pg_temp.stg_ltv
inner join analytics.dim_date on dim_date.date_actual = :as_of
inner join analytics.dim_customer
    on
        dim_customer.firm_sk = :firm_sk
        and stg_ltv.customer_id = dim_customer.customer_id
inner join analytics.dim_customer_tier on stg_ltv.tier_code = dim_customer_tier.tier_code;

-- A snapshot compares with the latest that is at least 30 days older. This one's change, and that of those
-- which compare with it.
with snapshots as (

    select dim_snapshot.as_of
    from analytics.dim_snapshot
    where
        dim_snapshot.firm_sk = :firm_sk
        and dim_snapshot.fact_name = 'fact_customer_ltv'
    union distinct
    select :as_of as as_of

),

compared as (

    select
        later.as_of,
        max(earlier.as_of) as earlier_as_of
    from snapshots as later
    left join snapshots as earlier on later.as_of - 30 >= earlier.as_of
    group by later.as_of

),

changes as (

    select
        later.customer_sk,
        later.as_of,
        cast(100 * (later.predicted_clv_1_year / earlier.predicted_clv_1_year - 1) as double precision)
            as change_pct
    from compared
    inner join analytics.fact_customer_ltv as later
        on
            later.firm_sk = :firm_sk
            and compared.as_of = later.as_of
    left join analytics.fact_customer_ltv as earlier
        on
            earlier.firm_sk = :firm_sk
            and compared.earlier_as_of = earlier.as_of
            and later.customer_sk = earlier.customer_sk
            and earlier.predicted_clv_1_year > 0
    where
        compared.as_of = :as_of
        or compared.earlier_as_of = :as_of

)

update analytics.fact_customer_ltv
set
    clv_change_pct_30d = changes.change_pct,
    clv_trend = case
        when changes.change_pct > 5 then 'increasing'
        when changes.change_pct < -5 then 'decreasing'
        when changes.change_pct is not null then 'stable'
    end
from changes
where
    fact_customer_ltv.firm_sk = :firm_sk
    and fact_customer_ltv.as_of = changes.as_of
    and fact_customer_ltv.customer_sk = changes.customer_sk
    and fact_customer_ltv.clv_change_pct_30d is distinct from changes.change_pct;
