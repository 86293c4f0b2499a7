-- next_products: the five products most likely in each customer's next order, and the likeliest new one.
-- Grain: customer_id, product_id. Params: :as_of (exclusive). No row if the model is not used.

with scored as (

    select
        candidates.customer_id,
        candidates.product_id,
        candidates.kind,
        candidates.purchase_days,
        candidates.first_purchase_date,
        candidates.last_purchase_date,
        candidates.together_share,
        candidates.because_product_id,
        case
            when candidates.kind = 'repeat'
                then
                    fitted.repeat_intercept
                    + fitted.repeat_rate_weight
                    * ln((candidates.purchase_days + 0.5) / (candidates.order_days + 1))
                    + fitted.repeat_once_weight * case when candidates.purchase_days = 1 then 1 else 0 end
                    + fitted.repeat_orders_weight * ln(candidates.order_days)
                    + fitted.repeat_popularity_weight * ln(candidates.popularity)
            else
                fitted.new_intercept
                + fitted.new_together_weight * ln(candidates.together_share + 0.01)
                + fitted.new_orders_weight * ln(candidates.order_days)
                + fitted.new_popularity_weight * ln(candidates.popularity)
        end as log_odds
    from next_product_candidates as candidates
    inner join next_product_model as fitted on candidates.is_bought_next is null
    where fitted.is_used

),

-- Rounded before the ranking, so that equal chances are equal on every machine.
chances as (

    select
        customer_id,
        product_id,
        kind,
        purchase_days,
        first_purchase_date,
        last_purchase_date,
        together_share,
        because_product_id,
        round(1 / (1 + exp(-log_odds)), 6) as purchase_probability
    from scored

),

ranked as (

    select
        customer_id,
        product_id,
        kind,
        purchase_days,
        first_purchase_date,
        last_purchase_date,
        together_share,
        because_product_id,
        purchase_probability,
        row_number() over (
            partition by customer_id order by purchase_probability desc, product_id asc
        ) as place,
        row_number() over (
            partition by customer_id, kind order by purchase_probability desc, product_id asc
        ) as place_of_kind
    from chances

),

chosen as (

    select
        customer_id,
        product_id,
        kind,
        purchase_days,
        first_purchase_date,
        last_purchase_date,
        together_share,
        because_product_id,
        purchase_probability,
        least(place, 6) as product_rank
    from ranked
    where
        place <= 5
        or (kind = 'new' and place_of_kind = 1)

),

-- The usual gap of all customers who bought the product on three days or more.
product_gaps as (

    select
        product_id,
        median((last_purchase_date - first_purchase_date) / (purchase_days - 1)) as gap_days
    from next_product_candidates
    where
        is_bought_next is null
        and purchase_days > 2
    group by product_id
    having count(*) >= 5

),

gaps as (

    select
        chosen.customer_id,
        chosen.product_id,
        round(
            case
                when product_gaps.gap_days is not null
                    then
                        (chosen.last_purchase_date - chosen.first_purchase_date + product_gaps.gap_days)
                        / chosen.purchase_days
                when chosen.purchase_days > 2
                    then
                        (chosen.last_purchase_date - chosen.first_purchase_date)
                        / (chosen.purchase_days - 1)
            end, 2
        ) as usual_gap_days
    from chosen
    left join product_gaps on chosen.product_id = product_gaps.product_id
    where chosen.kind = 'repeat'

)

select
    chosen.customer_id,
    chosen.product_id,
    chosen.product_rank,
    chosen.kind,
    chosen.purchase_probability,
    chosen.because_product_id,
    chosen.purchase_days,
    chosen.last_purchase_date,
    gaps.usual_gap_days,
    case
        when chosen.kind = 'repeat' then 'bought_before'
        when chosen.because_product_id is not null then 'bought_together'
        else 'popular'
    end as reason_code,
    case
        when cast(:as_of as date) - chosen.last_purchase_date <= 3 * gaps.usual_gap_days
            then
                greatest(
                    cast(:as_of as date),
                    chosen.last_purchase_date + cast(ceil(gaps.usual_gap_days) as integer)
                )
    end as due_date
from chosen
left join gaps
    on
        chosen.customer_id = gaps.customer_id
        and chosen.product_id = gaps.product_id
order by
    chosen.customer_id,
    chosen.product_id
