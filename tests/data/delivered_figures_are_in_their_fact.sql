-- A delivered figure is in the fact, or a later delivery restated it: the fact then shows one that
-- comes after it, never an earlier one and never nothing. A period that begins on or after the
-- as-of date is not known yet: that one the fact must not show.
with

facts as (

    select * from {{ ref('fct_output_statistics') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
figures as (

    select
        staged.*,
        staged.period_start_date < {{ as_of_date() }} as is_known,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_output_statistics__figures') }} as staged

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
        figures.producer_type,
        figures.unit_id,
        figures.period_code,
        figures.source_file,
        figures.source_line,
        in_force.delivery_id as in_force_delivery_id
    from figures
    left join in_force
        on figures.measure_code = in_force.measure_code
        and figures.producer_type = in_force.producer_type
        and coalesce(figures.unit_id, '') = coalesce(in_force.unit_id, '')
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
