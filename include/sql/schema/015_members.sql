-- Members that facts name before their dimension has them: a customer known from sales alone, a channel that
-- no directory lists. Each function gives the codes that have no row one, without attributes; the load of
-- the dimension fills those in. A load calls it once, with all its codes.

create function analytics.add_customers(firm_sk integer, customer_ids text[])
returns void
language sql
as $$

insert into analytics.dim_customer (firm_sk, customer_id, is_anonymous)
select
    add_customers.firm_sk,
    coalesce(named.customer_id, '(anonymous)') as customer_id,
    named.customer_id is null as is_anonymous
from unnest(add_customers.customer_ids) as named (customer_id)
left join analytics.dim_customer
    on
        dim_customer.firm_sk = add_customers.firm_sk
        and coalesce(named.customer_id, '(anonymous)') = dim_customer.customer_id
where dim_customer.firm_sk is null
order by coalesce(named.customer_id, '(anonymous)')
on conflict (firm_sk, customer_id) do nothing;
$$;

comment on function analytics.add_customers is
'Gives customers without a row in dim_customer one; null is the anonymous one.';

create function analytics.add_products(firm_sk integer, product_ids text[])
returns void
language sql
as $$

insert into analytics.dim_product (firm_sk, product_id, is_unknown)
select
    add_products.firm_sk,
    coalesce(named.product_id, '(unknown)') as product_id,
    named.product_id is null as is_unknown
from unnest(add_products.product_ids) as named (product_id)
left join analytics.dim_product
    on
        dim_product.firm_sk = add_products.firm_sk
        and coalesce(named.product_id, '(unknown)') = dim_product.product_id
where dim_product.firm_sk is null
order by coalesce(named.product_id, '(unknown)')
on conflict (firm_sk, product_id) do nothing;
$$;

comment on function analytics.add_products is
'Gives products without a row in dim_product one; null is the unknown one.';

create function analytics.add_channels(firm_sk integer, channel_codes text[])
returns void
language sql
as $$

insert into analytics.dim_interaction_channel (firm_sk, channel_code, is_active)
select
    add_channels.firm_sk,
    coalesce(named.channel_code, '(unknown)') as channel_code,
    false as is_active
from unnest(add_channels.channel_codes) as named (channel_code)
left join analytics.dim_interaction_channel
    on
        dim_interaction_channel.firm_sk = add_channels.firm_sk
        and coalesce(named.channel_code, '(unknown)') = dim_interaction_channel.channel_code
where dim_interaction_channel.firm_sk is null
order by coalesce(named.channel_code, '(unknown)')
on conflict (firm_sk, channel_code) do nothing;
$$;

comment on function analytics.add_channels is
'Gives channels without a row in dim_interaction_channel one, inactive; null is the unknown one.';

create function analytics.add_programmes(firm_sk integer, programme_ids text[])
returns void
language sql
as $$

insert into analytics.dim_program (firm_sk, programme_id, is_active)
select
    add_programmes.firm_sk,
    coalesce(named.programme_id, '(unknown)') as programme_id,
    false as is_active
from unnest(add_programmes.programme_ids) as named (programme_id)
left join analytics.dim_program
    on
        dim_program.firm_sk = add_programmes.firm_sk
        and coalesce(named.programme_id, '(unknown)') = dim_program.programme_id
where dim_program.firm_sk is null
order by coalesce(named.programme_id, '(unknown)')
on conflict (firm_sk, programme_id) do nothing;
$$;

comment on function analytics.add_programmes is
'Gives programmes without a row in dim_program one, inactive; null is the unknown one.';

create function analytics.add_campaigns(firm_sk integer, campaign_ids text[])
returns void
language sql
as $$

insert into analytics.dim_campaign (firm_sk, campaign_id, is_active)
select
    add_campaigns.firm_sk,
    named.campaign_id,
    false as is_active
from unnest(add_campaigns.campaign_ids) as named (campaign_id)
left join analytics.dim_campaign
    on
        dim_campaign.firm_sk = add_campaigns.firm_sk
        and named.campaign_id = dim_campaign.campaign_id
where
    named.campaign_id is not null
    and dim_campaign.firm_sk is null
order by named.campaign_id
on conflict (firm_sk, campaign_id) do nothing;
$$;

comment on function analytics.add_campaigns is
'Gives campaigns without a row in dim_campaign one, inactive; null is no campaign, and gets none.';
