with

figures as (

    select * from {{ ref('int_workforce__figures') }}

),

measures as (

    select * from {{ ref('dim_personnel_measure') }}

),

service_entities as (

    select * from {{ ref('dim_service_entity') }}

),

staff_groups as (

    select * from {{ ref('dim_staff_group') }}

),

final as (

    select
        figures.period_end_date as count_date,
        figures.period_code,
        figures.period_grain,
        figures.service_entity_code,
        service_entities.service_entity_name_fi,
        service_entities.service_entity_name_sv,
        service_entities.service_entity_name_en,
        figures.staff_group_code,
        staff_groups.staff_group_name_fi,
        staff_groups.staff_group_name_sv,
        staff_groups.staff_group_name_en,
        figures.measure_code,
        measures.measure_name_fi,
        measures.measure_name_sv,
        measures.measure_name_en,
        measures.unit_of_measure,
        measures.kind,
        figures.value,
        figures.value_precision,
        figures.value_status,
        figures.value_note,
        figures.version_count,
        {{ provenance_columns('figures') }}
    from figures
    inner join measures
        on figures.measure_code = measures.measure_code
    left join service_entities
        on figures.service_entity_code = service_entities.service_entity_code
    left join staff_groups
        on figures.staff_group_code = staff_groups.staff_group_code

)

select * from final
