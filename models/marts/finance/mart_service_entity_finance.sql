with

amounts as (

    select * from {{ ref('int_finance__service_entity_amounts') }}

),

service_entities as (

    select * from {{ ref('dim_service_entity') }}

),

final as (

    select
        amounts.fiscal_year,
        amounts.service_entity_code,
        service_entities.service_entity_name_fi,
        service_entities.service_entity_name_sv,
        service_entities.service_entity_name_en,
        amounts.expenditure_amount,
        amounts.expenditure_status,
        amounts.income_amount,
        amounts.income_status,
        amounts.amount_precision,
        amounts.includes_internal_items,
        amounts.delivery_id,
        amounts.source_document_id,
        amounts.source_table,
        amounts.source_section,
        amounts.source_file,
        amounts.source_line
    from amounts
    left join service_entities
        on amounts.service_entity_code = service_entities.service_entity_code

)

select * from final
