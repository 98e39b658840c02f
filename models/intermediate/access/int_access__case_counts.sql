{%- set attributes = [
    'measure_code', 'start_month_date', 'first_care_month_date', 'unit_id', 'area_code',
    'producer_type', 'state', 'exclusion_reason', 'wait_days', 'statutory_state',
] %}

with

cases as (

    select * from {{ ref('int_access__cases') }}

),

changes as (

    select
        measure_code,
        cast({{ dbt.date_trunc('month', 'start_date') }} as date) as start_month_date,
        cast({{ dbt.date_trunc('month', 'first_care_date') }} as date) as first_care_month_date,
        unit_id,
        area_code,
        producer_type,
        state,
        exclusion_reason,
        wait_days,
        statutory_state,
        need_count
    from cases
    {%- if not recomputes_all() %}

    union all

    select
        {{ attributes | join(',\n        ') }},
        need_count
    from {{ built_before('int_access__case_counts', 'intermediate') }}
    {%- endif %}

),

final as (

    select
        {{ attributes | join(',\n        ') }},
        cast(sum(need_count) as bigint) as need_count
    from changes
    group by {{ attributes | join(', ') }}
    having sum(need_count) <> 0

)

select * from final
