with

figures as (

    select * from {{ ref('int_workforce__figures') }}

),

final as (

    select
        period_code,
        cast(extract(year from period_start_date) as integer) as year,
        service_entity_code,
        staff_group_code,
        measure_code,
        value,
        value_status,
        value_note,
        version_count,
        {{ provenance_columns('figures') }}
    from figures
    where subject = 'training'

)

select * from final
