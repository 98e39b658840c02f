{%- set first_day = "cast(" ~ dbt.date_trunc('month', 'changed_date') ~ " as date)" %}
{%- set day = "cast(" ~ dbt.dateadd('day', 'numbers.day_of_month - 1', 'months.month_start_date')
    ~ " as date)" %}

with

months as (

    select distinct {{ first_day }} as month_start_date
    from {{ ref('int_access__changed_dates') }}
    where table_name = 'fct_visits'

),

numbers as (

    select distinct cast(extract(day from date_day) as integer) as day_of_month
    from {{ ref('dim_date') }}

),

days as (

    select
        months.month_start_date,
        {{ day }} as visit_date
    from months
    cross join numbers

),

-- Days past the end of a shorter month are the next one's.
final as (

    select
        month_start_date,
        visit_date
    from days
    where cast({{ dbt.date_trunc('month', 'visit_date') }} as date) = month_start_date

)

select * from final
