-- The schemas, each closed to everybody until a role is granted it.

create schema analytics;
create schema mart;
create schema pii;
create schema parts;

revoke all on schema analytics, mart, pii, parts from public;

comment on schema analytics is 'The star schema: dimensions and facts of every firm.';
comment on schema mart is
'Views for analysts, each on a firm''s latest snapshot, and their functions for any as_of.';
comment on schema pii is 'Personal data, and nothing else; its own grants.';
comment on schema parts is 'Partitions of the facts, one a firm; not to be read directly.';
