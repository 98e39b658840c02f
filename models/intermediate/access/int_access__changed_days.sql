with

months as (

    select * from {{ ref('int_access__changed_months') }}
    where month_start_date is not null

),

days_of_month as (

    select distinct cast(extract(day from date_day) as integer) as day_of_month
    from {{ ref('dim_date') }}

),

days as (

    select
        months.table_name,
        months.date_column,
        months.month_start_date,
        cast(
            {{ dbt.dateadd('day', 'days_of_month.day_of_month - 1', 'months.month_start_date') }}
            as date
        ) as changed_date
    from months
    cross join days_of_month

),

-- Days past the end of a shorter month are the next one's.
final as (

    select
        table_name,
        date_column,
        changed_date
    from days
    where cast({{ dbt.date_trunc('month', 'changed_date') }} as date) = month_start_date

)

select * from final
