-- change: why the spend of a firm's customers in 365 days differs between two snapshots.
-- Each customer is in exactly one part, so the parts sum to the difference. The first part that fits:
-- new (no score at the earlier day), won_back (no spend then, spend now), lost (spend then, none now or no
-- score now), more, less, same.
-- Grain: part. Params: :firm_key, :from_as_of, :as_of.

with scored as (

    select
        fact_customer_rfm.customer_sk,
        fact_customer_rfm.total_spend_365_days,
        fact_customer_rfm.as_of = cast(:from_as_of as date) as is_before
    from analytics.dim_firm
    inner join analytics.fact_customer_rfm on dim_firm.firm_sk = fact_customer_rfm.firm_sk
    where
        dim_firm.firm_key = :firm_key
        and fact_customer_rfm.as_of in (cast(:from_as_of as date), cast(:as_of as date))

),

customers as (

    select
        scored.customer_sk,
        not bool_or(scored.is_before) as is_new,
        coalesce(sum(scored.total_spend_365_days) filter (where scored.is_before), 0) as spend_before,
        coalesce(sum(scored.total_spend_365_days) filter (where not scored.is_before), 0) as spend_after
    from scored
    group by scored.customer_sk

),

parted as (

    select
        customers.spend_before,
        customers.spend_after,
        case
            when customers.is_new then 'new'
            when customers.spend_before <= 0 and customers.spend_after > 0 then 'won_back'
            when customers.spend_before > 0 and customers.spend_after <= 0 then 'lost'
            when customers.spend_after > customers.spend_before then 'more'
            when customers.spend_after < customers.spend_before then 'less'
            else 'same'
        end as part
    from customers

)

select
    parted.part,
    count(*) as customer_count,
    sum(parted.spend_before) as spend_before,
    sum(parted.spend_after) as spend_after,
    sum(parted.spend_after) - sum(parted.spend_before) as spend_change
from parted
group by parted.part
order by array_position(array['new', 'won_back', 'more', 'less', 'lost', 'same'], parted.part);
