with

organisation_units as (

    select * from {{ ref('organisation_units') }}

),

final as (

    select
        organisation_unit_code,
        parent_organisation_unit_code,
        unit_level,
        unit_name_fi,
        unit_name_sv,
        unit_name_en,
        unit_count,
        valid_from,
        valid_to,
        coalesce(valid_from < {{ as_of_date() }}, true)
        and coalesce(valid_to >= {{ as_of_date() }}, true) as is_valid,
        source_document_id,
        source_section
    from organisation_units

)

select * from final
