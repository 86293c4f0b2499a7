-- training_sample: training rows of the customers whose hash is below :below, without their ids.
-- Grain (unordered): one row per cutoff and customer. Params: :below (exclusive hash bound; 'g': all).

select columns(lambda name: name not in ('customer_id', 'is_blind')) as "\0"
from churn_training
where
    not is_blind
    and substr(md5(customer_id), 1, 4) < :below
