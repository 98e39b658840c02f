with

amounts as (

    select * from {{ source('lake', 'service_entity_finance') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

final as (

    select
        amounts.service_entity_code,
        amounts.fiscal_year,
        amounts.expenditure_amount,
        amounts.expenditure_status,
        amounts.income_amount,
        amounts.income_status,
        -- Both amounts of a row are printed to the same unit; either may be missing.
        coalesce(
            amounts.expenditure_amount_precision,
            amounts.income_amount_precision
        ) as amount_precision,
        amounts.includes_internal_items,
        amounts.delivery_id,
        deliveries.delivery_date,
        deliveries.delivery_number,
        deliveries.first_delivery_date,
        deliveries.source_document_id,
        deliveries.source_table,
        deliveries.source_section,
        amounts.source_file,
        amounts.source_line
    from amounts
    left join deliveries
        on amounts.delivery_id = deliveries.delivery_id

)

select * from final
