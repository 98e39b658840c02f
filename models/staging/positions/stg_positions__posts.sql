with

posts as (

    select * from {{ source('lake', 'positions') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

final as (

    select
        posts.post_id,
        posts.count_date,
        posts.staff_group_code,
        posts.service_entity_code,
        posts.unit_id,
        posts.fte_share,
        posts.has_holder,
        posts.has_substitute,
        posts.absent_since_date,
        posts.post_status,
        posts.delivery_id,
        deliveries.delivery_date,
        deliveries.delivery_number,
        deliveries.first_delivery_date,
        deliveries.source_document_id,
        deliveries.source_table,
        deliveries.source_section,
        posts.source_file,
        posts.source_line
    from posts
    left join deliveries
        on posts.delivery_id = deliveries.delivery_id

)

select * from final
