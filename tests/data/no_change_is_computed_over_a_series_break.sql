-- Told apart from the model: straight from the seed, by dates and not by years. Two years may be
-- compared only when no new series starts after the first day of the earlier and before the end of
-- the later.
with

figures as (

    select * from {{ ref('mart_output_statistics') }}

),

series_breaks as (

    select * from {{ ref('series_breaks') }}

),

spans as (

    select
        *,
        cast(concat(cast(year - 1 as {{ dbt.type_string() }}), '-01-01') as date) as first_date,
        cast(concat(cast(year as {{ dbt.type_string() }}), '-12-31') as date) as last_date
    from figures
    where
        is_comparable
        or change_count is not null
        or change_share is not null

),

final as (

    select
        spans.measure_code,
        spans.year,
        spans.change_count,
        series_breaks.break_date,
        series_breaks.break_kind
    from spans
    inner join series_breaks
        on spans.measure_code = series_breaks.measure_code
        and spans.first_date < series_breaks.break_date
        and spans.last_date >= series_breaks.break_date

)

select * from final
