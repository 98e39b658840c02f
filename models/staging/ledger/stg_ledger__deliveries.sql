with

deliveries as (

    select * from {{ source('lake', 'deliveries') }}

),

-- A refused delivery gave nothing: its document is as old as the first delivery that did.
final as (

    select
        delivery_id,
        source_name,
        delivery_date,
        delivery_number,
        coalesce(
            min(case when rows_loaded_count > 0 then delivery_date end) over (
                partition by source_name, coalesce(source_document_id, delivery_id)
            ),
            delivery_date
        ) as first_delivery_date,
        outcome,
        source_document_id,
        source_table,
        source_section,
        rows_in_count,
        rows_loaded_count,
        rows_duplicate_count,
        rows_quarantined_count,
        rows_refused_count,
        is_new
    from deliveries

)

select * from final
