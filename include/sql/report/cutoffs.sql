-- cutoffs: customers and churned customers by past cutoff.
-- Grain: cutoff.

select
    cutoff,
    count(*) as customers,
    count(case when is_churned then 1 end) as churned
from churn_training
where not is_blind
group by cutoff
order by cutoff
