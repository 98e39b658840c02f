with

amounts as (

    select * from {{ source('lake', 'budget') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

periods as (

    select
        *,
        {{ period_grain('period') }} as period_grain,
        {{ period_start_date('period') }} as period_start_date
    from amounts

),

final as (

    select
        periods.budget_item_code,
        periods.account_group,
        periods.unit_id,
        periods.period as period_code,
        periods.period_grain,
        periods.period_start_date,
        cast(
            {{ period_end_date('periods.period_start_date', 'periods.period_grain') }} as date
        ) as period_end_date,
        cast(extract(year from periods.period_start_date) as integer) as fiscal_year,
        periods.flow,
        periods.stage,
        periods.amount,
        periods.amount_precision,
        periods.amount_status,
        coalesce(periods.is_internal, false) as is_internal,
        periods.note as value_note,
        periods.delivery_id,
        deliveries.delivery_date,
        deliveries.delivery_number,
        deliveries.first_delivery_date,
        deliveries.source_document_id,
        deliveries.source_table,
        deliveries.source_section,
        periods.source_file,
        periods.source_line
    from periods
    left join deliveries
        on periods.delivery_id = deliveries.delivery_id

)

select * from final
