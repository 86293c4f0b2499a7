-- Who may see which firm, and whom a firm was asked to forget.

create table control.access (
    login_name text not null,
    firm_key text not null,
    role_name text not null check (role_name in ('platform', 'analyst', 'outreach')),
    granted_at timestamptz not null default clock_timestamp(),
    granted_by text not null,
    primary key (login_name, firm_key, role_name),
    check ((role_name = 'platform') = (firm_key = '*'))
);

comment on table control.access is
'One row per login, firm and role: what row-level security asks at every query.';
comment on column control.access.login_name is 'Role of PostgreSQL that a person logs in as.';
comment on column control.access.firm_key is 'Firm whose rows it may see; * with the role platform, for all.';
comment on column control.access.role_name is 'analyst; outreach, who sees contacts as well; or platform.';
comment on column control.access.granted_at is 'When it was granted, UTC.';
comment on column control.access.granted_by is 'Who granted it.';

-- Asked with the owner's rights, about the session's user, which no `set role` changes.
create function control.visible_firms(wanted_role text)
returns integer[]
language sql
stable
security definer
set search_path = ''
as $$
select coalesce(array_agg(distinct dim_firm.firm_sk), '{}')
from control.access
inner join analytics.dim_firm on access.firm_key = dim_firm.firm_key
where
    access.login_name = session_user
    and (wanted_role = 'analyst' or access.role_name = wanted_role)
$$;

create function control.visible_firm_keys()
returns text[]
language sql
stable
security definer
set search_path = ''
as $$
select coalesce(array_agg(distinct access.firm_key), '{}')
from control.access
where access.login_name = session_user
$$;

revoke execute on function control.visible_firms, control.visible_firm_keys from public;

comment on function control.visible_firms is
'Firms whose rows the login may see in the role analyst or outreach.';
comment on function control.visible_firm_keys is 'The same firms by their key, of any role.';

create table control.erasures (
    firm_key text not null,
    customer_hash text not null,
    requested_at timestamptz not null default clock_timestamp(),
    requested_by text not null,
    erased_at timestamptz,
    primary key (firm_key, customer_hash)
);

comment on table control.erasures is
'One row per customer a firm was asked to forget: a tombstone that every extract asks.';
comment on column control.erasures.firm_key is 'Firm.';
comment on column control.erasures.customer_hash is
'HMAC-SHA256 of the customer_id under the firm''s salt; the id itself is nowhere.';
comment on column control.erasures.requested_at is
'When erasing began, UTC: from then on extracts leave it out.';
comment on column control.erasures.requested_by is 'Who asked for it.';
comment on column control.erasures.erased_at is
'When a scan of everything found nothing more, UTC; null: run the command again.';

create table control.erasure_salts (
    firm_key text primary key,
    salt bytea not null
);

comment on table control.erasure_salts is
'One row per firm that has tombstones: what their hashes are salted with.';
comment on column control.erasure_salts.firm_key is 'Firm.';
comment on column control.erasure_salts.salt is '32 random bytes. No role but the owner reads this table.';
