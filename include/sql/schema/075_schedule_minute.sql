-- The minute at which a firm's runs start. Firms of an earlier release keep the full hour.

alter table control.firms add column schedule_minute integer check (schedule_minute between 0 and 59);

update control.firms
set schedule_minute = 0
where schedule_minute is null;

comment on column control.firms.schedule_minute is
'Minute of schedule_hour at which runs start; null: a minute that the key decides, to spread the load.';
