-- backtests: the candidates of each training date on the evaluation window, the selected one marked.
-- Churn has AUC, Brier score and calibration error; value has the errors that include/models/ltv measures.
-- Grain: module, anchor, candidate. Params: :firm_key; :page_rows (null: all).

with churn as (

    select
        churn_performance_metrics.anchor,
        churn_performance_metrics.candidate,
        churn_performance_metrics.is_champion,
        churn_performance_metrics.cutoff,
        churn_performance_metrics.horizon_days,
        churn_performance_metrics.customers,
        churn_performance_metrics.auc,
        churn_performance_metrics.brier,
        churn_performance_metrics.ece
    from analytics.dim_firm
    inner join analytics.churn_performance_metrics on dim_firm.firm_sk = churn_performance_metrics.firm_sk
    where
        dim_firm.firm_key = :firm_key
        and churn_performance_metrics.population = 'all'

),

value_models as (

    select
        value_backtest.anchor,
        value_backtest.candidate,
        value_backtest.is_champion,
        value_backtest.cutoff,
        value_backtest.horizon_days,
        max(value_backtest.customers) as customers,
        max(value_backtest.measured) filter (where value_backtest.metric = 'gini') as gini,
        max(value_backtest.measured) filter (where value_backtest.metric = 'mae') as mean_absolute_error,
        max(value_backtest.measured) filter (where value_backtest.metric = 'coverage') as interval_coverage
    from analytics.dim_firm
    inner join analytics.value_backtest on dim_firm.firm_sk = value_backtest.firm_sk
    where dim_firm.firm_key = :firm_key
    group by
        value_backtest.anchor,
        value_backtest.candidate,
        value_backtest.is_champion,
        value_backtest.cutoff,
        value_backtest.horizon_days

),

both_modules as (

    select
        'churn' as module,
        churn.anchor,
        churn.candidate,
        churn.is_champion,
        churn.cutoff,
        churn.horizon_days,
        churn.customers,
        churn.auc,
        churn.brier,
        churn.ece,
        cast(null as double precision) as gini,
        cast(null as double precision) as mean_absolute_error,
        cast(null as double precision) as interval_coverage
    from churn
    union all
    select
        'ltv' as module,
        value_models.anchor,
        value_models.candidate,
        value_models.is_champion,
        value_models.cutoff,
        value_models.horizon_days,
        value_models.customers,
        cast(null as double precision) as auc,
        cast(null as double precision) as brier,
        cast(null as double precision) as ece,
        value_models.gini,
        value_models.mean_absolute_error,
        value_models.interval_coverage
    from value_models

)

select
    both_modules.module,
    both_modules.anchor,
    both_modules.candidate,
    both_modules.is_champion,
    both_modules.cutoff,
    both_modules.horizon_days,
    both_modules.customers,
    both_modules.auc,
    both_modules.brier,
    both_modules.ece,
    both_modules.gini,
    both_modules.mean_absolute_error,
    both_modules.interval_coverage
from both_modules
order by
    both_modules.anchor desc,
    both_modules.module asc,
    both_modules.cutoff desc,
    both_modules.horizon_days asc,
    both_modules.is_champion desc,
    both_modules.candidate asc
limit :page_rows;
