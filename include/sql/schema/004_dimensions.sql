-- Dimensions. Column comments that are not here come from the datasets: see include/warehouse/comments.py.

create table analytics.dim_firm (
    firm_sk integer generated always as identity primary key,
    firm_key text not null unique,
    firm_name text not null,
    timezone text not null,
    currency text not null
);

comment on table analytics.dim_firm is 'One row per firm that has ever been loaded.';
comment on column analytics.dim_firm.firm_name is 'Name as people write it.';
comment on column analytics.dim_firm.timezone is 'Time zone in which the firm''s days are days.';

create table analytics.dim_date (
    date_sk integer primary key,
    date_actual date not null unique,
    year_actual smallint not null,
    quarter_of_year smallint not null,
    month_of_year smallint not null,
    month_name text not null,
    month_start date not null,
    day_of_month smallint not null,
    day_of_year smallint not null,
    iso_year smallint not null,
    week_of_year smallint not null,
    week_start date not null,
    day_of_week smallint not null,
    day_name text not null,
    is_weekend boolean not null,
    is_month_end boolean not null
);

comment on table analytics.dim_date is 'One row per day from 1990 to 2100.';
comment on column analytics.dim_date.date_actual is 'The day.';
comment on column analytics.dim_date.year_actual is 'Calendar year.';
comment on column analytics.dim_date.quarter_of_year is 'Quarter, 1 to 4.';
comment on column analytics.dim_date.month_of_year is 'Month, 1 to 12.';
comment on column analytics.dim_date.month_name is 'Month''s name in English.';
comment on column analytics.dim_date.month_start is 'First day of the month.';
comment on column analytics.dim_date.day_of_month is 'Day in the month, 1 to 31.';
comment on column analytics.dim_date.day_of_year is 'Day in the year, 1 to 366.';
comment on column analytics.dim_date.iso_year is
'Year that the ISO week belongs to: group by it together with week_of_year.';
comment on column analytics.dim_date.week_of_year is 'ISO week, 1 to 53.';
comment on column analytics.dim_date.week_start is 'Monday of the ISO week.';
comment on column analytics.dim_date.day_of_week is 'Weekday, 1 Monday to 7 Sunday.';
comment on column analytics.dim_date.day_name is 'Weekday''s name in English.';
comment on column analytics.dim_date.is_weekend is 'Saturday or Sunday.';
comment on column analytics.dim_date.is_month_end is 'Last day of its month.';

insert into analytics.dim_date
select
    to_char(calendar.instant, 'YYYYMMDD')::integer as date_sk,
    calendar.instant::date as date_actual,
    extract(year from calendar.instant) as year_actual,
    extract(quarter from calendar.instant) as quarter_of_year,
    extract(month from calendar.instant) as month_of_year,
    to_char(calendar.instant, 'FMMonth') as month_name,
    date_trunc('month', calendar.instant)::date as month_start,
    extract(day from calendar.instant) as day_of_month,
    extract(doy from calendar.instant) as day_of_year,
    extract(isoyear from calendar.instant) as iso_year,
    extract(week from calendar.instant) as week_of_year,
    date_trunc('week', calendar.instant)::date as week_start,
    extract(isodow from calendar.instant) as day_of_week,
    to_char(calendar.instant, 'FMDay') as day_name,
    extract(isodow from calendar.instant) >= 6 as is_weekend,
    extract(day from calendar.instant + interval '1 day') = 1 as is_month_end
from generate_series(timestamp '1990-01-01', timestamp '2100-12-31', interval '1 day') as calendar (instant);

create table analytics.dim_customer (
    customer_sk bigint generated always as identity primary key,
    firm_sk integer not null references analytics.dim_firm,
    customer_id text not null,
    is_anonymous boolean not null default false,
    gender text,
    city text,
    country text,
    joined_date date,
    acquisition_channel text,
    age_band text,
    income_band text,
    household_size text,
    as_of date,
    unique (firm_sk, customer_id)
) with (fillfactor = 80);

comment on table analytics.dim_customer is
'One row per customer of a firm, and one anonymous member for sales to nobody known. No personal data.';
comment on column analytics.dim_customer.is_anonymous is
'True of the member that stands for no known customer.';
comment on column analytics.dim_customer.as_of is
'Snapshot that the attributes are from; null of a customer known from sales alone.';

create table pii.customer_contact (
    customer_sk bigint primary key references analytics.dim_customer on delete cascade,
    firm_sk integer not null references analytics.dim_firm,
    full_name text,
    email text,
    phone text,
    birth_date date
);

create index customer_contact_firm_sk on pii.customer_contact (firm_sk);

comment on table pii.customer_contact is 'One row per customer with personal data. Only outreach reads it.';

create table analytics.dim_product (
    product_sk bigint generated always as identity primary key,
    firm_sk integer not null references analytics.dim_firm,
    product_id text not null,
    is_unknown boolean not null default false,
    product_name text,
    department text,
    category text,
    brand text,
    unit_cost numeric(18, 4) check (unit_cost <> 'NaN'),
    as_of date,
    unique (firm_sk, product_id)
) with (fillfactor = 80);

comment on table analytics.dim_product is
'One row per product of a firm, and one member for lines without a product.';
comment on column analytics.dim_product.is_unknown is 'True of the member that stands for no known product.';
comment on column analytics.dim_product.as_of is
'Snapshot that the attributes are from; null of a product known from sales alone.';

create table analytics.dim_customer_segment (
    segment_sk integer generated always as identity primary key,
    firm_sk integer not null references analytics.dim_firm,
    segment_code text not null,
    segment_name text not null,
    segment_description text,
    segment_type text not null,
    parent_segment_sk integer references analytics.dim_customer_segment,
    segment_criteria text,
    target_marketing_strategy text,
    retention_priority integer check (retention_priority between 1 and 10),
    value_tier text,
    is_active boolean not null default true,
    as_of date,
    unique (firm_sk, segment_code)
);

comment on table analytics.dim_customer_segment is
'One row per segment of a firm''s decision table. A segment that is no longer in it stays, inactive.';
comment on column analytics.dim_customer_segment.parent_segment_sk is 'Wider segment it is part of, if any.';
comment on column analytics.dim_customer_segment.segment_criteria is
'The cells of the decision table it covers.';
comment on column analytics.dim_customer_segment.is_active is
'Whether the firm''s latest decision table has it.';
comment on column analytics.dim_customer_segment.as_of is
'Latest snapshot whose decision table has it; null of a segment known from scores alone.';

create table analytics.dim_snapshot (
    firm_sk integer not null references analytics.dim_firm,
    fact_name text not null,
    as_of date not null,
    date_sk integer not null references analytics.dim_date,
    primary key (firm_sk, fact_name, as_of)
);

comment on table analytics.dim_snapshot is
'One row per snapshot a fact holds, written with it: a snapshot without customers is here too.';
comment on column analytics.dim_snapshot.fact_name is 'Table the snapshot is in.';
