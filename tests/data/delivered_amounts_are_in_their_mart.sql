-- Delivered amounts are in the mart, or a later delivery restated them. A year that begins on or
-- after the as-of date is not known yet: that one the mart must not show.
with

facts as (

    select * from {{ ref('mart_service_entity_finance') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
amounts as (

    select
        staged.*,
        cast(
            cast(staged.fiscal_year as {{ dbt.type_string() }}) || '-01-01' as date
        ) < {{ as_of_date() }} as is_known,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_service_entity_finance__amounts') }} as staged

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
        amounts.delivery_id,
        amounts.fiscal_year,
        amounts.service_entity_code,
        amounts.source_file,
        amounts.source_line,
        in_force.delivery_id as in_force_delivery_id
    from amounts
    left join in_force
        on amounts.fiscal_year = in_force.fiscal_year
        and amounts.service_entity_code = in_force.service_entity_code
    where
        (not amounts.is_known and in_force.delivery_id is not null)
        or (
            amounts.is_known
            and (
                in_force.delivery_id is null
                or in_force.first_delivery_date < amounts.first_delivery_date
                or (
                    in_force.first_delivery_date = amounts.first_delivery_date
                    and (
                        in_force.place_rank < amounts.place_rank
                        or (
                            in_force.place_rank = amounts.place_rank
                            and (
                                in_force.delivery_date < amounts.delivery_date
                                or (
                                    in_force.delivery_date = amounts.delivery_date
                                    and in_force.delivery_number < amounts.delivery_number
                                )
                            )
                        )
                    )
                )
                -- Of its own delivery it shows this very row: a key stands once in a delivery.
                or (
                    in_force.delivery_id = amounts.delivery_id
                    and (
                        in_force.source_file <> amounts.source_file
                        or in_force.source_line <> amounts.source_line
                        or coalesce(in_force.expenditure_amount, -1)
                        <> coalesce(amounts.expenditure_amount, -1)
                        or coalesce(in_force.income_amount, -1)
                        <> coalesce(amounts.income_amount, -1)
                    )
                )
            )
        )

)

select * from final
