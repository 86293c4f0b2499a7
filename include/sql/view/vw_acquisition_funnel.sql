-- vw_acquisition_funnel: each week's leads by stage: contacted, converted, ordered.
-- Grain: firm_key, iso_year, week_of_year, channel_code. The function takes any as_of, the view each latest.
-- A stage includes all later stages, so counts never rise; two leads of one customer convert once.

create or replace function mart.acquisition_funnel(firm text, as_of date)
returns table (
    iso_year smallint,
    week_of_year smallint,
    week_start date,
    channel_code text,
    channel_name text,
    leads bigint,
    contacted bigint,
    converted bigint,
    ordered bigint,
    contact_rate numeric,
    conversion_rate numeric,
    order_rate numeric,
    overall_conversion_rate numeric
)
language sql
stable
as $$
with stages as (

    select
        dim_date.iso_year,
        dim_date.week_of_year,
        dim_date.week_start,
        dim_interaction_channel.channel_code,
        dim_interaction_channel.channel_name,
        fact_customer_acquisition.first_contact_date is not null
        or fact_customer_acquisition.is_acquisition as is_contacted,
        fact_customer_acquisition.is_acquisition as is_converted,
        fact_customer_acquisition.is_acquisition
        and fact_customer_acquisition.first_order_date is not null as is_ordered
    from analytics.dim_firm
    inner join analytics.fact_customer_acquisition
        on dim_firm.firm_sk = fact_customer_acquisition.firm_sk
    inner join analytics.dim_date on fact_customer_acquisition.lead_created_date = dim_date.date_actual
    inner join analytics.dim_interaction_channel
        on fact_customer_acquisition.channel_sk = dim_interaction_channel.channel_sk
    where
        dim_firm.firm_key = acquisition_funnel.firm
        and fact_customer_acquisition.as_of = acquisition_funnel.as_of
        and fact_customer_acquisition.lead_id is not null

),

weeks as (

    select
        stages.iso_year,
        stages.week_of_year,
        stages.week_start,
        stages.channel_code,
        stages.channel_name,
        count(*) as leads,
        count(*) filter (where stages.is_contacted) as contacted,
        count(*) filter (where stages.is_converted) as converted,
        count(*) filter (where stages.is_ordered) as ordered
    from stages
    group by
        stages.iso_year,
        stages.week_of_year,
        stages.week_start,
        stages.channel_code,
        stages.channel_name

)

select
    weeks.iso_year,
    weeks.week_of_year,
    weeks.week_start,
    weeks.channel_code,
    weeks.channel_name,
    weeks.leads,
    weeks.contacted,
    weeks.converted,
    weeks.ordered,
    round(100.0 * weeks.contacted / weeks.leads, 1) as contact_rate,
    round(100.0 * weeks.converted / nullif(weeks.contacted, 0), 1) as conversion_rate,
    round(100.0 * weeks.ordered / nullif(weeks.converted, 0), 1) as order_rate,
    round(100.0 * weeks.ordered / weeks.leads, 1) as overall_conversion_rate
from weeks
$$;

create or replace view mart.vw_acquisition_funnel
with (security_invoker = true, security_barrier = true)
as
select
    vw_latest_snapshot.firm_key,
    vw_latest_snapshot.as_of,
    weeks.*
from mart.vw_latest_snapshot
cross join
    lateral mart.acquisition_funnel(vw_latest_snapshot.firm_key, vw_latest_snapshot.as_of) as weeks
where vw_latest_snapshot.fact_name = 'fact_customer_acquisition';

comment on function mart.acquisition_funnel is 'vw_acquisition_funnel of one firm at any as_of.';
comment on view mart.vw_acquisition_funnel is
'One row per firm, ISO week of the leads and channel: leads that reached each stage before as_of.';
comment on column mart.vw_acquisition_funnel.week_start is
'Monday of the week in which the leads were created.';
comment on column mart.vw_acquisition_funnel.leads is 'Leads created that week.';
comment on column mart.vw_acquisition_funnel.contacted is
'Leads that were contacted or reached a later stage.';
comment on column mart.vw_acquisition_funnel.converted is 'Leads that became a customer.';
comment on column mart.vw_acquisition_funnel.ordered is 'Leads whose customer has ordered.';
comment on column mart.vw_acquisition_funnel.contact_rate is 'contacted in percent of leads.';
comment on column mart.vw_acquisition_funnel.conversion_rate is 'converted in percent of contacted.';
comment on column mart.vw_acquisition_funnel.order_rate is 'ordered in percent of converted.';
comment on column mart.vw_acquisition_funnel.overall_conversion_rate is 'ordered in percent of leads.';
comment on column mart.vw_acquisition_funnel.iso_year is 'ISO year of the week.';
comment on column mart.vw_acquisition_funnel.week_of_year is 'ISO week, 1 to 53.';
comment on column mart.vw_acquisition_funnel.channel_code is 'Code of the channel.';
comment on column mart.vw_acquisition_funnel.channel_name is 'Name of the channel.';
