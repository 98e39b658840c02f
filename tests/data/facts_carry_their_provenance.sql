-- File and line of every row, and the document that its delivery names. The place is the delivery's
-- table or section, or a section that the row itself names: never none.
with

rows_shown as (

    select * from {{ ref('fct_published_facts') }}

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
        or rows_shown.source_document_id is null
        or rows_shown.source_document_id <> deliveries.source_document_id
        or coalesce(rows_shown.source_table, '') <> coalesce(deliveries.source_table, '')
        or coalesce(rows_shown.source_table, rows_shown.source_section, '') = ''

)

select * from final
