{%- set month = "cast(" ~ dbt.date_trunc('month', 'start_date') ~ " as date)" %}

-- depends_on: {{ ref('int_access__changed_months') }}
-- depends_on: {{ ref('int_access__changed_days') }}
with

cases as (

    select * from {{ ref('int_access__cases') }}

),

final as (

    select
        measure_code,
        {{ month }} as month_start_date,
        unit_id,
        area_code,
        producer_type,
        exclusion_reason as reason,
        count(*) as excluded_count
    from cases
    where
        exclusion_reason is not null
        and {{ is_counted('start_date', 'fct_waiting_times', ['start_date']) }}
    group by 1, 2, 3, 4, 5, 6

)

select * from final
