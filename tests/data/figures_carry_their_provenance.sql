-- File and line of every row, and document, table and section exactly as its delivery names them.
with

rows_shown as (

    select * from {{ ref('fct_output_statistics') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

final as (

    select
        rows_shown.delivery_id,
        rows_shown.source_document_id,
        rows_shown.source_table,
        rows_shown.source_section,
        rows_shown.source_file,
        rows_shown.source_line
    from rows_shown
    left join deliveries
        on rows_shown.delivery_id = deliveries.delivery_id
        and deliveries.outcome = 'loaded'
    where
        deliveries.delivery_id is null
        or rows_shown.source_file is null
        or rows_shown.source_line is null
        or coalesce(rows_shown.source_document_id, '')
        <> coalesce(deliveries.source_document_id, '')
        or coalesce(rows_shown.source_table, '') <> coalesce(deliveries.source_table, '')
        or coalesce(rows_shown.source_section, '') <> coalesce(deliveries.source_section, '')

)

select * from final
