-- Comments of earlier files that said more than the code does. Those files are never edited.

comment on column control.firms.min_spend is
'Customers below this lifetime spend get no RFM scores; no other module reads it.';
comment on column control.firms.min_orders is
'Customers with fewer orders get no RFM scores; no other module reads it.';
