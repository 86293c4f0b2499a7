-- cutoffs: how many customers of each past cutoff then churned.
-- Grain: cutoff.

select
    cutoff,
    count(*) as customers,
    count(case when is_churned then 1 end) as churned
from churn_training
where not is_blind
group by cutoff
order by cutoff
