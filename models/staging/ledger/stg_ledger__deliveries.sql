with

deliveries as (

    select * from {{ source('lake', 'deliveries') }}

),

final as (

    select
        delivery_id,
        source_name,
        delivery_date,
        delivery_number,
        outcome,
        source_document_id,
        source_table,
        source_section,
        rows_in_count,
        rows_loaded_count,
        rows_duplicate_count,
        rows_quarantined_count,
        rows_refused_count
    from deliveries

)

select * from final
