-- The engines are those of include/engines: a row with another one is refused when it is saved.

comment on column control.firms.engine is 'Engine that computes: duckdb.';
