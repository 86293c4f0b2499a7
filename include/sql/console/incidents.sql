-- incidents: the failures that hit a firm, by cause; open ones first. Errors are the firm's own.
-- Grain: incident_id. Params: :firm_key; :page_rows (null: all).

select
    incidents.incident_id,
    incidents.place,
    incidents.kind,
    incidents.resource_name,
    incidents.severity,
    incidents.opened_at,
    incidents.closed_at,
    min(incident_firms.as_of) as first_as_of,
    max(incident_firms.as_of) as last_as_of,
    count(*) as failures,
    string_agg(distinct incident_firms.task_id, ', ') as task_ids,
    (array_agg(incident_firms.error order by incident_firms.entry_id))[1] as error,
    max(incident_firms.failed_at) as failed_at,
    bool_or(incident_firms.is_snapshot_missing) as is_snapshot_missing
from control.incident_firms
inner join control.incidents on incident_firms.incident_id = incidents.incident_id
where incident_firms.firm_key = :firm_key
group by
    incidents.incident_id,
    incidents.place,
    incidents.kind,
    incidents.resource_name,
    incidents.severity,
    incidents.opened_at,
    incidents.closed_at
order by
    (incidents.closed_at is null) desc,
    incidents.opened_at desc,
    incidents.incident_id desc
limit :page_rows;
