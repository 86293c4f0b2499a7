-- next_product_candidates: products that each customer may buy next, at as_of and at two past cutoffs.
-- Grain: cutoff, customer_id, product_id. Params: :as_of (exclusive), :churn_threshold_days.
-- A customer takes part with an order in the last 3 * :churn_threshold_days before the cutoff. At a past
-- cutoff only a sample of those who ordered again within :churn_threshold_days does: 500 customers to fit,
-- 1,000 to test. Repeats are the ten products bought most often. New are the ten best-selling products and
-- what other customers of the same products bought. A product is no longer sold, and left out, if it has no
-- sale for 90 days, or none for 14 days and for five of its usual gaps. So is what the customer returned.

with past_and_present (cutoff, is_past, most_customers) as (

    select
        cast(:as_of as date) - 2 * :churn_threshold_days as cutoff,
        true as is_past,
        500 as most_customers
    union all
    select
        cast(:as_of as date) - :churn_threshold_days as cutoff,
        true as is_past,
        1000 as most_customers
    union all
    select
        cast(:as_of as date) as cutoff,
        false as is_past,
        null as most_customers

),

cutoffs as (

    select
        cutoff,
        is_past,
        most_customers,
        cutoff - 90 as sold_from,
        cutoff - 3 * :churn_threshold_days as bought_from,
        cutoff + :churn_threshold_days as ordered_until
    from past_and_present

),

recent_sales as (

    select
        cutoffs.cutoff,
        transactions.product_id,
        max(transactions.order_date) as last_date,
        count(*) as line_count
    from transactions
    inner join cutoffs
        on
            transactions.order_date < cutoffs.cutoff
            and transactions.order_date >= cutoffs.sold_from
    where
        transactions.kind = 'sale'
        and transactions.product_id is not null
    group by
        cutoffs.cutoff,
        transactions.product_id
    having count(*) > 1

),

silences as (

    select
        cutoff,
        product_id,
        line_count,
        max(last_date) over (partition by cutoff) - last_date as silent_days
    from recent_sales

),

products_sold as materialized (

    select
        cutoff,
        product_id,
        line_count / max(line_count) over (partition by cutoff) as popularity,
        row_number() over (partition by cutoff order by line_count desc, product_id asc) as place
    from silences
    where
        silent_days <= 14
        or silent_days * line_count <= 5 * 90

),

customers as (

    select
        cutoffs.cutoff,
        cutoffs.is_past,
        cutoffs.most_customers,
        cutoffs.bought_from,
        customer_days.customer_id,
        count(case when customer_days.order_date < cutoffs.cutoff then 1 end) as order_days,
        max(case when customer_days.order_date < cutoffs.cutoff then customer_days.order_date end)
            as last_order_date,
        min(case when customer_days.order_date >= cutoffs.cutoff then customer_days.order_date end)
            as next_order_date
    from customer_days
    inner join cutoffs
        on
            customer_days.order_date >= cutoffs.bought_from
            and customer_days.order_date < cutoffs.ordered_until
    where
        customer_days.order_count > 0
        and customer_days.order_date < :as_of
    group by
        cutoffs.cutoff,
        cutoffs.is_past,
        cutoffs.most_customers,
        cutoffs.bought_from,
        customer_days.customer_id
    having count(case when customer_days.order_date < cutoffs.cutoff then 1 end) > 0

),

placed as (

    select
        cutoff,
        is_past,
        most_customers,
        bought_from,
        customer_id,
        order_days,
        last_order_date,
        next_order_date,
        row_number() over (partition by cutoff order by md5(customer_id) asc, customer_id asc) as place
    from customers
    where
        not is_past
        or next_order_date is not null

),

chosen as materialized (

    select
        cutoff,
        is_past,
        bought_from,
        customer_id,
        order_days,
        last_order_date,
        next_order_date,
        place
    from placed
    where
        not is_past
        or place <= most_customers

),

sold_once as (

    select distinct
        product_id,
        cast(:as_of as date) - 5 * :churn_threshold_days as bought_from
    from products_sold

),

purchases as materialized (

    select distinct
        transactions.customer_id,
        transactions.product_id,
        transactions.order_date
    from transactions
    inner join sold_once
        on
            transactions.product_id = sold_once.product_id
            and transactions.order_date >= sold_once.bought_from
    where
        transactions.kind = 'sale'
        and transactions.customer_id is not null
        and transactions.order_date < :as_of

),

bought as (

    select
        chosen.cutoff,
        purchases.customer_id,
        purchases.product_id,
        count(*) as purchase_days,
        min(purchases.order_date) as first_purchase_date,
        max(purchases.order_date) as last_purchase_date
    from purchases
    inner join chosen on purchases.customer_id = chosen.customer_id
    where
        purchases.order_date < chosen.cutoff
        and purchases.order_date >= chosen.bought_from
    group by
        chosen.cutoff,
        purchases.customer_id,
        purchases.product_id

),

returns as (

    select distinct
        customer_id,
        product_id
    from transactions
    where
        kind = 'return'
        and customer_id is not null
        and product_id is not null
        and order_date < :as_of
        and order_date >= cast(:as_of as date) - 5 * :churn_threshold_days

),

returned as (

    select
        cutoffs.cutoff,
        transactions.customer_id,
        transactions.product_id
    from transactions
    inner join returns
        on
            transactions.customer_id = returns.customer_id
            and transactions.product_id = returns.product_id
    inner join cutoffs
        on
            transactions.order_date < cutoffs.cutoff
            and transactions.order_date >= cutoffs.bought_from
    group by
        cutoffs.cutoff,
        transactions.customer_id,
        transactions.product_id
    having
        sum(case when transactions.kind = 'sale' then transactions.quantity else -transactions.quantity end)
        <= 0

),

kept as materialized (

    select
        bought.cutoff,
        bought.customer_id,
        bought.product_id,
        bought.purchase_days,
        bought.first_purchase_date,
        bought.last_purchase_date,
        products_sold.place
    from bought
    inner join products_sold
        on
            bought.cutoff = products_sold.cutoff
            and bought.product_id = products_sold.product_id
    left join returned
        on
            bought.cutoff = returned.cutoff
            and bought.customer_id = returned.customer_id
            and bought.product_id = returned.product_id
    where returned.customer_id is null

),

-- What was bought once counts as a habit only if it was in the latest order: most products never come again.
habits as (

    select
        kept.cutoff,
        kept.customer_id,
        kept.product_id,
        kept.purchase_days,
        kept.first_purchase_date,
        kept.last_purchase_date,
        row_number() over (
            partition by kept.cutoff, kept.customer_id
            order by kept.purchase_days desc, kept.last_purchase_date desc, kept.product_id asc
        ) as place
    from kept
    inner join chosen
        on
            kept.cutoff = chosen.cutoff
            and kept.customer_id = chosen.customer_id
    where
        kept.purchase_days > 1
        or kept.last_purchase_date = chosen.last_order_date

),

-- Products bought by the same customers: among the 100 best-selling ones, of at most 2,000 customers.
baskets as materialized (

    select
        cutoff,
        customer_id,
        product_id,
        row_number() over (
            partition by cutoff, customer_id order by last_purchase_date desc, product_id asc
        ) as place
    from kept
    where place <= 100

),

learned as (

    select
        baskets.cutoff,
        baskets.customer_id,
        baskets.product_id
    from baskets
    inner join chosen
        on
            baskets.cutoff = chosen.cutoff
            and baskets.customer_id = chosen.customer_id
    where
        baskets.place <= 15
        and chosen.place <= 2000

),

pairs as materialized (

    select
        learned.cutoff,
        learned.product_id,
        other.product_id as other_id,
        count(*) as customer_count
    from learned
    inner join learned as other
        on
            learned.cutoff = other.cutoff
            and learned.customer_id = other.customer_id
    group by
        learned.cutoff,
        learned.product_id,
        other.product_id

),

neighbours as (

    select
        pairs.cutoff,
        pairs.product_id,
        pairs.other_id,
        pairs.customer_count / alone.customer_count as strength,
        row_number() over (
            partition by pairs.cutoff, pairs.product_id
            order by pairs.customer_count desc, pairs.other_id asc
        ) as place
    from pairs
    inner join pairs as alone
        on
            pairs.cutoff = alone.cutoff
            and pairs.product_id = alone.product_id
            and alone.product_id = alone.other_id
    where pairs.product_id <> pairs.other_id

),

suggested as (

    select
        baskets.cutoff,
        baskets.customer_id,
        neighbours.other_id as product_id,
        neighbours.strength,
        baskets.product_id as because_product_id
    from baskets
    inner join neighbours
        on
            baskets.cutoff = neighbours.cutoff
            and baskets.product_id = neighbours.product_id
    where
        baskets.place <= 8
        and neighbours.place <= 5

    union all

    select
        chosen.cutoff,
        chosen.customer_id,
        products_sold.product_id,
        0 as strength,
        null as because_product_id
    from chosen
    inner join products_sold on chosen.cutoff = products_sold.cutoff
    where products_sold.place <= 10

),

wanted as materialized (

    select
        cutoff,
        customer_id,
        product_id,
        sum(cast(round(strength, 6) as decimal(18, 6))) as together_share,
        max(struct_pack(strength := round(strength, 6), because_product_id := because_product_id))
            as strongest
    from suggested
    group by
        cutoff,
        customer_id,
        product_id

),

known as (

    select distinct
        wanted.cutoff,
        wanted.customer_id,
        wanted.product_id
    from transactions
    inner join wanted
        on
            transactions.customer_id = wanted.customer_id
            and transactions.product_id = wanted.product_id
            and transactions.order_date < wanted.cutoff

),

candidates as (

    select
        cutoff,
        customer_id,
        product_id,
        'repeat' as kind,
        purchase_days,
        first_purchase_date,
        last_purchase_date,
        0 as together_share,
        null as because_product_id
    from habits
    where place <= 10

    union all

    select
        wanted.cutoff,
        wanted.customer_id,
        wanted.product_id,
        'new' as kind,
        0 as purchase_days,
        null as first_purchase_date,
        null as last_purchase_date,
        wanted.together_share,
        wanted.strongest.because_product_id
    from wanted
    left join known
        on
            wanted.cutoff = known.cutoff
            and wanted.customer_id = known.customer_id
            and wanted.product_id = known.product_id
    where known.customer_id is null

),

bought_next as materialized (

    select
        chosen.cutoff,
        chosen.customer_id,
        purchases.product_id,
        coalesce(products_sold.place <= 5, false) as is_popular
    from chosen
    inner join purchases
        on
            chosen.customer_id = purchases.customer_id
            and chosen.next_order_date = purchases.order_date
    left join products_sold
        on
            chosen.cutoff = products_sold.cutoff
            and purchases.product_id = products_sold.product_id
    where chosen.is_past

),

popular_bought_next as (

    select
        cutoff,
        customer_id,
        bool_or(is_popular) as is_popular
    from bought_next
    group by
        cutoff,
        customer_id

)

select
    candidates.cutoff,
    candidates.customer_id,
    candidates.product_id,
    candidates.kind,
    candidates.purchase_days,
    chosen.order_days,
    candidates.first_purchase_date,
    candidates.last_purchase_date,
    cast(candidates.together_share as double) as together_share,
    candidates.because_product_id,
    products_sold.popularity,
    case when chosen.is_past then bought_next.customer_id is not null end as is_bought_next,
    case when chosen.is_past then coalesce(popular_bought_next.is_popular, false) end
        as is_popular_bought_next
from candidates
inner join chosen
    on
        candidates.cutoff = chosen.cutoff
        and candidates.customer_id = chosen.customer_id
inner join products_sold
    on
        candidates.cutoff = products_sold.cutoff
        and candidates.product_id = products_sold.product_id
left join bought_next
    on
        candidates.cutoff = bought_next.cutoff
        and candidates.customer_id = bought_next.customer_id
        and candidates.product_id = bought_next.product_id
left join popular_bought_next
    on
        candidates.cutoff = popular_bought_next.cutoff
        and candidates.customer_id = popular_bought_next.customer_id
order by
    candidates.cutoff,
    candidates.customer_id,
    candidates.product_id
