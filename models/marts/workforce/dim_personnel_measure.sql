with

measures as (

    select * from {{ ref('personnel_measures') }}

),

final as (

    select
        measure_code,
        subject,
        measure_name_fi,
        measure_name_sv,
        measure_name_en,
        unit_of_measure,
        kind,
        is_additive_over_groups,
        definition_note_en,
        sort_order
    from measures

)

select * from final
