-- A delivered staff figure is in the mart, or a later delivery restated it. A stock dated on or
-- after the as-of date and a flow that begins then are not known yet: the mart must not show them.
with

facts as (

    select * from {{ ref('mart_workforce') }}

),

measures as (

    select * from {{ ref('personnel_measures') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
figures as (

    select
        staged.*,
        case measures.kind
            when 'stock' then staged.period_end_date else staged.period_start_date
        end < {{ as_of_date() }} as is_known,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_personnel__figures') }} as staged
    left join measures
        on staged.measure_code = measures.measure_code

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
        figures.delivery_id,
        figures.measure_code,
        figures.staff_group_code,
        figures.service_entity_code,
        figures.period_code,
        figures.source_file,
        figures.source_line,
        in_force.delivery_id as in_force_delivery_id
    from figures
    left join in_force
        on figures.measure_code = in_force.measure_code
        and figures.staff_group_code = in_force.staff_group_code
        and figures.service_entity_code = in_force.service_entity_code
        and figures.period_code = in_force.period_code
    where
        (not figures.is_known and in_force.delivery_id is not null)
        or (
            figures.is_known
            and (
                in_force.delivery_id is null
                or in_force.first_delivery_date < figures.first_delivery_date
                or (
                    in_force.first_delivery_date = figures.first_delivery_date
                    and (
                        in_force.place_rank < figures.place_rank
                        or (
                            in_force.place_rank = figures.place_rank
                            and (
                                in_force.delivery_date < figures.delivery_date
                                or (
                                    in_force.delivery_date = figures.delivery_date
                                    and in_force.delivery_number < figures.delivery_number
                                )
                            )
                        )
                    )
                )
                -- Of its own delivery it shows this very row: a key stands once in a delivery.
                or (
                    in_force.delivery_id = figures.delivery_id
                    and (
                        in_force.source_file <> figures.source_file
                        or in_force.source_line <> figures.source_line
                        or coalesce(in_force.value, -1) <> coalesce(figures.value, -1)
                        or coalesce(in_force.value_status, '')
                        <> coalesce(figures.value_status, '')
                    )
                )
            )
        )

)

select * from final
