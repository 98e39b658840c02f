-- A delivered amount of the budget is in the fact, or a later delivery restated it. An outturn of a
-- period that begins on or after the as-of date is not known yet: that one the fact must not show.
with

facts as (

    select * from {{ ref('fct_budget_outturn') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
amounts as (

    select
        staged.*,
        (
            staged.stage <> 'outturn'
            or staged.period_start_date < {{ as_of_date() }}
        ) as is_known,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_budget__amounts') }} as staged

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
        amounts.budget_item_code,
        amounts.account_group,
        amounts.unit_id,
        amounts.is_internal,
        amounts.period_code,
        amounts.flow,
        amounts.stage,
        amounts.source_file,
        amounts.source_line,
        in_force.delivery_id as in_force_delivery_id
    from amounts
    left join in_force
        on amounts.budget_item_code = in_force.budget_item_code
        and coalesce(amounts.account_group, '') = coalesce(in_force.account_group, '')
        and coalesce(amounts.unit_id, '') = coalesce(in_force.unit_id, '')
        and amounts.is_internal = in_force.is_internal
        and amounts.period_code = in_force.period_code
        and amounts.flow = in_force.flow
        and amounts.stage = in_force.stage
    where
        (not amounts.is_known and in_force.delivery_id is not null)
        or (
            amounts.is_known
            and (
                in_force.delivery_id is null
                or (
                    (
                        in_force.first_delivery_date < amounts.first_delivery_date
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
                    )
                    -- A coarser print of the same amount restates nothing.
                    and not coalesce(
                        in_force.amount_precision < amounts.amount_precision
                        and abs(in_force.amount - amounts.amount) <= amounts.amount_precision / 2,
                        false
                    )
                )
                -- Of its own delivery it shows this very row: a key stands once in a delivery.
                or (
                    in_force.delivery_id = amounts.delivery_id
                    and (
                        in_force.source_file <> amounts.source_file
                        or in_force.source_line <> amounts.source_line
                        or coalesce(in_force.amount, -1)
                        <> coalesce(amounts.amount, -1)
                        or coalesce(in_force.amount_status, '')
                        <> coalesce(amounts.amount_status, '')
                    )
                )
            )
        )

)

select * from final
