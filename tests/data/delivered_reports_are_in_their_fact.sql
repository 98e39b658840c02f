-- A reported value is in the fact, or a later delivery restated it. A period that begins on or
-- after the as-of date is not known yet: that one the fact must not show.
with

facts as (

    select * from {{ ref('fct_reported_values') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
reported as (

    select
        staged.*,
        staged.period_start_date < {{ as_of_date() }} as is_known,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_reported_values__values') }} as staged

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
        reported.delivery_id,
        reported.target_id,
        reported.unit_id,
        reported.period_code,
        reported.source_file,
        reported.source_line,
        in_force.delivery_id as in_force_delivery_id
    from reported
    left join in_force
        on reported.target_id = in_force.target_id
        and coalesce(reported.unit_id, '') = coalesce(in_force.unit_id, '')
        and reported.period_code = in_force.period_code
    where
        (not reported.is_known and in_force.delivery_id is not null)
        or (
            reported.is_known
            and (
                in_force.delivery_id is null
                or in_force.first_delivery_date < reported.first_delivery_date
                or (
                    in_force.first_delivery_date = reported.first_delivery_date
                    and (
                        in_force.place_rank < reported.place_rank
                        or (
                            in_force.place_rank = reported.place_rank
                            and (
                                in_force.delivery_date < reported.delivery_date
                                or (
                                    in_force.delivery_date = reported.delivery_date
                                    and in_force.delivery_number < reported.delivery_number
                                )
                            )
                        )
                    )
                )
                -- Of its own delivery it shows this very row: a key stands once in a delivery.
                or (
                    in_force.delivery_id = reported.delivery_id
                    and (
                        in_force.source_file <> reported.source_file
                        or in_force.source_line <> reported.source_line
                        or coalesce(in_force.value, -1)
                        <> coalesce(reported.value, -1)
                        or coalesce(in_force.numerator, -1)
                        <> coalesce(reported.numerator, -1)
                        or coalesce(in_force.denominator, -1)
                        <> coalesce(reported.denominator, -1)
                        or coalesce(in_force.value_status, '')
                        <> coalesce(reported.value_status, '')
                    )
                )
            )
        )

)

select * from final
