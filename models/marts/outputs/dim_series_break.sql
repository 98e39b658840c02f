with

documented as (

    select * from {{ ref('series_breaks') }}

),

suspected as (

    select * from {{ ref('int_outputs__suspected_breaks') }}

),

final as (

    select
        measure_code,
        break_date,
        break_kind,
        evidence,
        cast(null as double) as change_share,
        reason_fi,
        reason_sv,
        reason_en,
        source_document_id,
        source_table,
        source_section
    from documented

    union all

    select
        measure_code,
        break_date,
        'unexplained' as break_kind,
        'suspected' as evidence,
        change_share,
        rule_fi as reason_fi,
        rule_sv as reason_sv,
        rule_en as reason_en,
        source_document_id,
        source_table,
        source_section
    from suspected

)

select * from final
