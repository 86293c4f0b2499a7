-- feature_sample: the features of the customers whose hash lies below :below, without their ids.
-- Grain (unordered): one row per customer. Params: :below (hashes below it are in; 'g': all).
-- Reads dataset: customer_features, or what stands in for it.

select columns(lambda name: name <> 'customer_id') as "\0"
from dataset
where substr(md5(customer_id), 1, 4) < :below
