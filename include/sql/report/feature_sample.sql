-- feature_sample: the features of the customers whose hash is below :below, without their ids.
-- Grain (unordered): one row per customer. Params: :below (exclusive hash bound; 'g': all).
-- Reads dataset: customer_features, or customer_summary without it.

select columns(lambda name: name <> 'customer_id') as "\0"
from dataset
where substr(md5(customer_id), 1, 4) < :below
