with

figures as (

    select * from {{ ref('int_workforce__figures') }}

),

final as (

    select
        period_end_date as count_date,
        period_code,
        service_entity_code,
        staff_group_code,
        measure_code,
        value,
        value_status,
        value_note,
        version_count,
        {{ provenance_columns('figures') }}
    from figures
    where subject = 'headcount'

)

select * from final
