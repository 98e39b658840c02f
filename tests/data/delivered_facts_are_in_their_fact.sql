-- A figure that a document prints is in the fact, or a later delivery of the same document restated
-- it: another document never does.
with

facts as (

    select * from {{ ref('fct_published_facts') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

-- The newest document comes first, then its tables before its text; only then do the date and the
-- number of the delivery decide.
printed as (

    select
        staged.*,
        case
            when staged.source_document_id is not null and staged.source_table is null then 0
            else 1
        end as place_rank
    from {{ ref('stg_published_facts__facts') }} as staged

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
        printed.delivery_id,
        printed.fact_code,
        printed.scope_code,
        printed.period_text,
        printed.fact_kind,
        printed.source_document_id,
        printed.source_file,
        printed.source_line,
        in_force.delivery_id as in_force_delivery_id
    from printed
    left join in_force
        on printed.fact_code = in_force.fact_code
        and coalesce(printed.scope_code, '') = coalesce(in_force.scope_code, '')
        and coalesce(printed.period_text, '') = coalesce(in_force.period_text, '')
        and printed.fact_kind = in_force.fact_kind
        and coalesce(printed.source_document_id, '') = coalesce(in_force.source_document_id, '')
    where
        in_force.delivery_id is null
        or in_force.first_delivery_date < printed.first_delivery_date
        or (
            in_force.first_delivery_date = printed.first_delivery_date
            and (
                in_force.place_rank < printed.place_rank
                or (
                    in_force.place_rank = printed.place_rank
                    and (
                        in_force.delivery_date < printed.delivery_date
                        or (
                            in_force.delivery_date = printed.delivery_date
                            and in_force.delivery_number < printed.delivery_number
                        )
                    )
                )
            )
        )
        -- Of its own delivery it shows this very row: a key stands once in a delivery.
        or (
            in_force.delivery_id = printed.delivery_id
            and (
                in_force.source_file <> printed.source_file
                or in_force.source_line <> printed.source_line
                or coalesce(in_force.value, -1) <> coalesce(printed.value, -1)
                or coalesce(in_force.lower_bound, -1)
                <> coalesce(printed.lower_bound, -1)
                or coalesce(in_force.upper_bound, -1)
                <> coalesce(printed.upper_bound, -1)
                or coalesce(in_force.certainty, '')
                <> coalesce(printed.certainty, '')
                or coalesce(in_force.value_status, '')
                <> coalesce(printed.value_status, '')
            )
        )

)

select * from final
