-- The loyalty schema that the oracle source reads: tables, or views with these names and columns.
-- DATE and NUMBER work like TIMESTAMP and NUMERIC; ids may be numbers or text.

create table customers (
    unique_customer_id varchar(100) primary key,
    birth_date timestamp(0),
    gender varchar(40),
    city varchar(200),
    may_contact numeric(1, 0) -- 1 or 0, or Y or N; null: unknown; the column may be missing
);

create table programs (
    dwh_program_id varchar(100) primary key,
    program_name varchar(400)
);

create table transactions (
    transaction_id varchar(100),
    unique_customer_id varchar(100),
    trx_date timestamp(6),
    amount numeric(18, 4),
    amount_after_discount numeric(18, 4),
    trx_state_id numeric(4, 0),
    is_deleted numeric(1, 0),
    timed_id_transaction numeric(8, 0),
    dwh_program_id varchar(100)
);

create table loyalty_points (
    unique_customer_id varchar(100),
    points_earned numeric(18, 4),
    points_used numeric(18, 4),
    "DATE" timestamp(6),
    dwh_program_id varchar(100)
);

create index transactions_timed on transactions (timed_id_transaction);
create index loyalty_points_date on loyalty_points ("DATE");
