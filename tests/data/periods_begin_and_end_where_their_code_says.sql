-- A period starts on the first of a month and ends before the first of the month that follows it:
-- 12 months later for a year, 3 for a quarter, 1 for a month; it never ends before it starts.
with

figures as (

    select * from {{ ref('fct_output_statistics') }}

),

lengths as (

    select
        *,
        {{ dbt.dateadd('day', 1, 'period_end_date') }} as next_start_date,
        case period_grain when 'year' then 12 when 'quarter' then 3 when 'month' then 1 end
            as month_count
    from figures

),

final as (

    select
        measure_code,
        period_code,
        period_grain,
        period_start_date,
        period_end_date
    from lengths
    where
        month_count is null
        or period_end_date is null
        or period_start_date is null
        or period_end_date < period_start_date
        or extract(day from period_start_date) <> 1
        or extract(day from next_start_date) <> 1
        or {{ dbt.datediff('period_start_date', 'next_start_date', 'month') }} <> month_count
        or cast(extract(year from period_start_date) as {{ dbt.type_string() }})
        <> substring(period_code, 1, 4)

)

select * from final
