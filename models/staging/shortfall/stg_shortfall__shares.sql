with

shares as (

    select * from {{ source('lake', 'shortfall') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

final as (

    select
        shares.staff_group_code,
        shares.service_entity_code,
        shares.count_date,
        cast(shares.shortfall_share as double) as shortfall_share,
        shares.value_status,
        shares.delivery_id,
        deliveries.delivery_date,
        deliveries.delivery_number,
        deliveries.first_delivery_date,
        deliveries.source_document_id,
        deliveries.source_table,
        deliveries.source_section,
        shares.source_file,
        shares.source_line,
        shares.source_column
    from shares
    left join deliveries
        on shares.delivery_id = deliveries.delivery_id

)

select * from final
