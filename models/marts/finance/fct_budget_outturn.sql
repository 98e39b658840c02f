with

amounts as (

    select * from {{ ref('stg_budget__amounts') }}

),

-- An outturn of a period that begins on or after the as-of date is not known yet (KPI definitions,
-- common rule 3). Budgets and forecasts speak of the future by nature.
known as (

    select *
    from amounts
    where
        stage <> 'outturn'
        or period_start_date < cast('{{ var("as_of_date") }}' as date)

),

{% set key = [
    'budget_item_code', 'account_group', 'unit_id', 'is_internal', 'period_code', 'flow', 'stage',
] %}

versions as (

    select
        *,
        {{ version_rank(key) }} as version_rank,
        count(*) over (partition by {{ key | join(', ') }}) as version_count
    from known

),

final as (

    select
        fiscal_year,
        budget_item_code,
        account_group,
        unit_id,
        is_internal,
        period_code,
        period_grain,
        period_start_date,
        period_end_date,
        flow,
        stage,
        amount,
        amount_precision,
        amount_status,
        value_note,
        version_count,
        {{ provenance_columns('versions') }}
    from versions
    where version_rank = 1

)

select * from final
