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
        or period_start_date < {{ as_of_date() }}

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

-- What the versions newer than a row say together. A printed 0 is no rounding of anything.
with_newer as (

    select
        *,
        max(amount - 0.5 * amount_precision) over newer as newer_floor,
        min(amount + 0.5 * amount_precision) over newer as newer_ceiling,
        min(case when amount <> 0 then amount_precision else 0 end) over newer as newer_precision
    from versions
    window newer as (
        partition by {{ key | join(', ') }}
        order by version_rank
        rows between unbounded preceding and 1 preceding
    )

),

-- A newer print that is coarser and rounds the older amount restates nothing: 15 million after
-- 14 966 thousand. Where every newer version only rounds it, the finer amount stays in force.
in_force as (

    select
        *,
        row_number() over (
            partition by {{ key | join(', ') }}
            order by version_rank desc
        ) as force_rank
    from with_newer
    where
        version_rank = 1
        or (
            amount_precision < newer_precision
            and amount >= newer_floor
            and amount <= newer_ceiling
        )

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
        {{ provenance_columns('in_force') }}
    from in_force
    where force_rank = 1

)

select * from final
