-- The tables of Odoo that the source reads, with the columns that versions 16 to 19 share.
-- What versions and modules add is added by the tests.

create table res_currency (id integer primary key, name varchar not null);
create table res_company (id integer primary key, name varchar not null, currency_id integer not null);
create table res_country (id integer primary key, code varchar);
create table res_partner (
    id integer primary key,
    name varchar,
    parent_id integer,
    commercial_partner_id integer,
    company_id integer,
    active boolean,
    email varchar,
    phone varchar,
    city varchar,
    country_id integer,
    customer_rank integer,
    create_date timestamp without time zone
);
create table res_users (id integer primary key, login varchar not null, partner_id integer not null);
create table product_category (id integer primary key, name varchar not null, complete_name varchar);
create table product_template (id integer primary key, name jsonb not null, categ_id integer, active boolean);
create table product_product (id integer primary key, product_tmpl_id integer not null, active boolean);
create table sale_order (
    id integer primary key,
    name varchar not null,
    company_id integer not null,
    partner_id integer not null,
    state varchar,
    date_order timestamp without time zone,
    create_date timestamp without time zone,
    currency_id integer,
    currency_rate numeric,
    amount_untaxed numeric,
    amount_total numeric
);
create table sale_order_line (
    id integer primary key,
    order_id integer not null references sale_order (id),
    name text,
    product_id integer,
    product_uom_qty numeric,
    price_unit numeric,
    discount numeric,
    price_subtotal numeric,
    price_total numeric,
    display_type varchar,
    is_downpayment boolean
);
create table account_move (
    id integer primary key,
    company_id integer not null,
    partner_id integer,
    move_type varchar not null,
    state varchar not null,
    invoice_date date,
    reversed_entry_id integer
);
create table account_move_line (
    id integer primary key,
    move_id integer not null references account_move (id),
    product_id integer,
    quantity numeric,
    discount numeric,
    price_subtotal numeric,
    balance numeric,
    display_type varchar not null
);
create table sale_order_line_invoice_rel (
    order_line_id integer not null references sale_order_line (id),
    invoice_line_id integer not null references account_move_line (id)
);
create index on sale_order (date_order);
create index on sale_order_line (order_id);
create index on account_move_line (move_id);
create index on sale_order_line_invoice_rel (invoice_line_id);

insert into res_currency values (1, 'GBP'), (2, 'EUR');
insert into res_company values (1, 'Acme', 1);
insert into res_country values (1, 'GB');
insert into res_partner (id, name, commercial_partner_id) values (3, 'Public user', 3);
insert into res_users values (4, 'public', 3);
