with

measures as (

    select * from {{ ref('access_measures') }}

),

outcomes as (

    select
        measure_code,
        {{ dbt.listagg('outcome_role', "', '", 'order by outcome_role') }} as outcome_roles
    from {{ ref('access_measure_outcomes') }}
    group by measure_code

),

modes as (

    select
        measure_code,
        {{ dbt.listagg('contact_mode_code', "', '", 'order by contact_mode_code') }}
            as contact_mode_codes
    from {{ ref('access_measure_modes') }}
    group by measure_code

),

professions as (

    select
        measure_code,
        {{ dbt.listagg('profession_group', "', '", 'order by profession_group') }}
            as profession_groups
    from {{ ref('access_measure_professions') }}
    group by measure_code

),

final as (

    select
        measures.measure_code,
        measures.sort_order,
        measures.measure_name_fi,
        measures.measure_name_sv,
        measures.measure_name_en,
        measures.definition_fi,
        measures.definition_sv,
        measures.definition_en,
        measures.service_form_code,
        measures.urgency_class,
        measures.nature_code,
        outcomes.outcome_roles,
        measures.limit_days,
        measures.has_wait,
        modes.contact_mode_codes,
        professions.profession_groups,
        measures.needs_licensed,
        measures.counts_resolved_contact,
        measures.target_rate,
        measures.target_comparator,
        measures.is_binding,
        measures.source_document_id,
        measures.source_table,
        measures.source_section
    from measures
    left join outcomes
        on measures.measure_code = outcomes.measure_code
    left join modes
        on measures.measure_code = modes.measure_code
    left join professions
        on measures.measure_code = professions.measure_code

)

select * from final
