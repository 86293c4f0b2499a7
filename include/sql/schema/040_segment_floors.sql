-- Segments have floors in the firm's own rhythm; the segment of the score cell is kept beside the segment.

alter table analytics.fact_customer_rfm add column segment_of_cell text;

alter table analytics.dim_customer_segment
add column usual_gap_days double precision check (usual_gap_days >= 1),
add column min_orders integer check (min_orders >= 1),
add column min_silent_days integer check (min_silent_days >= 1),
add column max_silent_days integer check (max_silent_days >= 1),
add column next_segment text;

comment on column analytics.dim_customer_segment.usual_gap_days is
'The firm''s usual gap between orders at as_of: median of repeat customers'' mean gap, within limits.';
comment on column analytics.dim_customer_segment.min_orders is 'Floor: fewest days with a sale.';
comment on column analytics.dim_customer_segment.min_silent_days is
'Floor: shortest silence required, in days since the last order; null: none.';
comment on column analytics.dim_customer_segment.max_silent_days is
'Floor: longest silence allowed, in days since the last order; null: none.';
comment on column analytics.dim_customer_segment.next_segment is
'Code of the segment of a customer in these cells who does not meet the floor.';
