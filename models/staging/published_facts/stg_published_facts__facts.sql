with

facts as (

    select * from {{ source('lake', 'published_facts') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

final as (

    select
        facts.fact_code,
        facts.scope_code,
        facts.period_text,
        facts.fact_kind,
        cast(facts.value as double) as value,
        cast(facts.value_precision as double) as value_precision,
        cast(facts.lower_bound as double) as lower_bound,
        cast(facts.upper_bound as double) as upper_bound,
        facts.value_status,
        facts.certainty,
        facts.unit_text,
        facts.note as value_note,
        facts.delivery_id,
        deliveries.delivery_date,
        deliveries.delivery_number,
        deliveries.first_delivery_date,
        deliveries.source_document_id,
        deliveries.source_table,
        coalesce(facts.section, deliveries.source_section) as source_section,
        facts.source_file,
        facts.source_line
    from facts
    left join deliveries
        on facts.delivery_id = deliveries.delivery_id

)

select * from final
