-- training_sample: training rows of the customers whose hash lies below :below, without their ids.
-- Grain (unordered): one row per cutoff and customer. Params: :below (hashes below it are in; 'g': all).

select columns(lambda name: name not in ('customer_id', 'is_blind')) as "\0"
from churn_training
where
    not is_blind
    and substr(md5(customer_id), 1, 4) < :below
