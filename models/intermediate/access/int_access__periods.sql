with

dates as (

    select * from {{ ref('dim_date') }}

),

needs as (

    select min(start_date) as first_date
    from {{ ref('fct_waiting_times') }}

),

-- From the first need's month to the last one that begins before the as-of date.
months as (

    select distinct
        dates.month_start_date,
        dates.month_end_date
    from dates
    inner join needs
        on dates.month_end_date >= needs.first_date
    where dates.month_start_date < {{ as_of_date() }}

),

quarters as (

    select
        year,
        quarter,
        min(date_day) as period_start,
        max(date_day) as period_end
    from dates
    group by year, quarter

),

years as (

    select
        year,
        min(date_day) as period_start,
        max(date_day) as period_end
    from dates
    group by year

),

final as (

    select
        'month' as period_grain,
        month_start_date as period_start,
        month_end_date as period_end,
        month_start_date
    from months

    union all

    select
        'quarter' as period_grain,
        quarters.period_start,
        quarters.period_end,
        months.month_start_date
    from months
    inner join quarters
        on
        months.month_start_date >= quarters.period_start
        and months.month_start_date <= quarters.period_end

    union all

    select
        'year' as period_grain,
        years.period_start,
        years.period_end,
        months.month_start_date
    from months
    inner join years
        on
        months.month_start_date >= years.period_start
        and months.month_start_date <= years.period_end

    union all

    -- Twelve months that end with a month; the first of them may lie before the first need.
    select
        'rolling_12_months' as period_grain,
        cast({{ dbt.dateadd('month', -11, 'last_months.month_start_date') }} as date)
            as period_start,
        last_months.month_end_date as period_end,
        months.month_start_date
    from months
    inner join months as last_months
        on
        months.month_start_date <= last_months.month_start_date
        and months.month_start_date
        >= {{ dbt.dateadd('month', -11, 'last_months.month_start_date') }}

)

select * from final
