-- vw_customer_next_product: what each customer is likely to buy next, why, and when a repeat is due.
-- Grain: firm_key, customer_id, product_rank. The function takes any as_of, the view each firm's latest.

create or replace function mart.customer_next_product(firm text, as_of date)
returns table (
    customer_id text,
    product_rank smallint,
    product_id text,
    product_name text,
    category text,
    kind text,
    purchase_probability double precision,
    reason text,
    reason_code text,
    because_product_id text,
    because_product_name text,
    purchase_days bigint,
    last_purchase_date date,
    usual_gap_days double precision,
    due_date date
)
language sql
stable
as $$
select
    dim_customer.customer_id,
    fact_customer_next_product.product_rank,
    dim_product.product_id,
    dim_product.product_name,
    dim_product.category,
    fact_customer_next_product.kind,
    fact_customer_next_product.purchase_probability,
    case fact_customer_next_product.reason_code
        when 'bought_before'
            then 'Bought on ' || fact_customer_next_product.purchase_days || case
                when fact_customer_next_product.purchase_days = 1 then ' day, last on '
                else ' days, last on '
            end || fact_customer_next_product.last_purchase_date
        when 'bought_together'
            then
                'Customers of ' || coalesce(because_product.product_name, because_product.product_id)
                || ' buy it too'
        else 'Sells best'
    end as reason,
    fact_customer_next_product.reason_code,
    because_product.product_id as because_product_id,
    because_product.product_name as because_product_name,
    fact_customer_next_product.purchase_days,
    fact_customer_next_product.last_purchase_date,
    fact_customer_next_product.usual_gap_days,
    fact_customer_next_product.due_date
from analytics.dim_firm
inner join analytics.fact_customer_next_product on dim_firm.firm_sk = fact_customer_next_product.firm_sk
inner join analytics.dim_customer on fact_customer_next_product.customer_sk = dim_customer.customer_sk
inner join analytics.dim_product on fact_customer_next_product.product_sk = dim_product.product_sk
left join analytics.dim_product as because_product
    on fact_customer_next_product.because_product_sk = because_product.product_sk
where
    dim_firm.firm_key = customer_next_product.firm
    and fact_customer_next_product.as_of = customer_next_product.as_of
order by
    dim_customer.customer_id asc,
    fact_customer_next_product.product_rank asc
$$;

create or replace view mart.vw_customer_next_product
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    suggestions.*
from mart.vw_latest_snapshot
cross join
    lateral mart.customer_next_product(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as suggestions
where vw_latest_snapshot.fact_name = 'fact_customer_next_product';

comment on function mart.customer_next_product is 'vw_customer_next_product of one firm at any as_of.';
comment on view mart.vw_customer_next_product is
'One row per customer who ordered lately and suggested product, likeliest first; no row where the module '
'is off: vw_next_product_test says why.';
comment on column mart.vw_customer_next_product.product_rank is
'1 is the likeliest; 6 is the likeliest new product where the first five are repeats.';
comment on column mart.vw_customer_next_product.kind is
'repeat: bought lately by this customer; new: never bought by this customer.';
comment on column mart.vw_customer_next_product.purchase_probability is
'Chance that the product is in the customer''s next order, if there is one; 0 to 1.';
comment on column mart.vw_customer_next_product.reason is 'Why it is suggested, in words.';
comment on column mart.vw_customer_next_product.reason_code is
'Why it is suggested: bought_before, bought_together or popular.';
comment on column mart.vw_customer_next_product.because_product_id is
'Of bought_together: the product of the customer whose other customers buy the suggestion too.';
comment on column mart.vw_customer_next_product.because_product_name is 'Name of because_product_id.';
comment on column mart.vw_customer_next_product.purchase_days is
'Days on which the customer bought it in the last three churn thresholds; 0 if new.';
comment on column mart.vw_customer_next_product.last_purchase_date is 'The last of these days; null if new.';
comment on column mart.vw_customer_next_product.usual_gap_days is
'Usual days between two purchases of it by this customer; null if not known.';
comment on column mart.vw_customer_next_product.due_date is
'Of a repeat: the day on which the usual gap since the last purchase ends, as_of if that has passed; null '
'if the gap is not known or has passed three times.';
