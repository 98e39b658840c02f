with

measures as (

    select * from {{ ref('output_measures') }}

),

sections as (

    select * from {{ ref('output_sections') }}

),

final as (

    select
        measures.measure_code,
        measures.sort_order,
        measures.section_code,
        sections.heading_name_fi,
        sections.section_name_fi,
        sections.section_name_sv,
        sections.section_name_en,
        measures.subsection_name_fi,
        measures.subsection_name_sv,
        measures.subsection_name_en,
        measures.printed_name_fi,
        measures.measure_name_fi,
        measures.measure_name_sv,
        measures.measure_name_en,
        measures.producer_type,
        measures.unit_of_measure,
        measures.is_additive,
        measures.statistics_source,
        measures.parent_measure_code
    from measures
    left join sections
        on measures.section_code = sections.section_code

)

select * from final
