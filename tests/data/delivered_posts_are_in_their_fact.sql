-- A delivered post is in the fact, or a later delivery restated it, or its count date is not known
-- yet on the as-of date: that one the fact must not show.
with

facts as (

    select * from {{ ref('fct_positions') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
posts as (

    select
        staged.*,
        staged.count_date < {{ as_of_date() }} as is_known,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_positions__posts') }} as staged

),

in_force as (

    select
        facts.*,
        deliveries.delivery_date,
        deliveries.delivery_number,
        deliveries.first_delivery_date,
        case
            when facts.source_document_id is not null and facts.source_table is null then 0
            else 1
        end as place_rank
    from facts
    inner join deliveries
        on facts.delivery_id = deliveries.delivery_id

),

final as (

    select
        posts.delivery_id,
        posts.count_date,
        posts.post_id,
        posts.source_file,
        posts.source_line,
        in_force.delivery_id as in_force_delivery_id
    from posts
    left join in_force
        on posts.count_date = in_force.count_date
        and posts.post_id = in_force.post_id
    where
        (not posts.is_known and in_force.delivery_id is not null)
        or (
            posts.is_known
            and (
                in_force.delivery_id is null
                or in_force.first_delivery_date < posts.first_delivery_date
                or (
                    in_force.first_delivery_date = posts.first_delivery_date
                    and (
                        in_force.place_rank < posts.place_rank
                        or (
                            in_force.place_rank = posts.place_rank
                            and (
                                in_force.delivery_date < posts.delivery_date
                                or (
                                    in_force.delivery_date = posts.delivery_date
                                    and in_force.delivery_number < posts.delivery_number
                                )
                            )
                        )
                    )
                )
                -- Of its own delivery it shows this very row: a key stands once in a delivery.
                or (
                    in_force.delivery_id = posts.delivery_id
                    and (
                        in_force.source_file <> posts.source_file
                        or in_force.source_line <> posts.source_line
                        or in_force.fte_share <> posts.fte_share
                        or in_force.has_holder <> posts.has_holder
                        or in_force.has_substitute <> posts.has_substitute
                        or in_force.post_status <> posts.post_status
                        or in_force.staff_group_code <> posts.staff_group_code
                        or in_force.service_entity_code <> posts.service_entity_code
                    )
                )
            )
        )

)

select * from final
