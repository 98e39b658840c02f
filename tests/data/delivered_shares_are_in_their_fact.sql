-- A delivered share is in the fact, or a later delivery restated it, or its count date is not known
-- yet on the as-of date: that one the fact must not show.
with

facts as (

    select * from {{ ref('fct_vacancies') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
shares as (

    select
        staged.*,
        staged.count_date < {{ as_of_date() }} as is_known,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_shortfall__shares') }} as staged

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
        shares.delivery_id,
        shares.count_date,
        shares.service_entity_code,
        shares.staff_group_code,
        shares.source_file,
        shares.source_line,
        in_force.delivery_id as in_force_delivery_id
    from shares
    left join in_force
        on shares.count_date = in_force.count_date
        and shares.service_entity_code = in_force.service_entity_code
        and shares.staff_group_code = in_force.staff_group_code
    where
        (not shares.is_known and in_force.delivery_id is not null)
        or (
            shares.is_known
            and (
                in_force.delivery_id is null
                or in_force.first_delivery_date < shares.first_delivery_date
                or (
                    in_force.first_delivery_date = shares.first_delivery_date
                    and (
                        in_force.place_rank < shares.place_rank
                        or (
                            in_force.place_rank = shares.place_rank
                            and (
                                in_force.delivery_date < shares.delivery_date
                                or (
                                    in_force.delivery_date = shares.delivery_date
                                    and in_force.delivery_number < shares.delivery_number
                                )
                            )
                        )
                    )
                )
                -- Of its own delivery it shows this very row: a key stands once in a delivery.
                or (
                    in_force.delivery_id = shares.delivery_id
                    and (
                        in_force.source_file <> shares.source_file
                        or in_force.source_line <> shares.source_line
                        or coalesce(in_force.shortfall_share, -1)
                        <> coalesce(shares.shortfall_share, -1)
                        or coalesce(in_force.value_status, '')
                        <> coalesce(shares.value_status, '')
                    )
                )
            )
        )

)

select * from final
