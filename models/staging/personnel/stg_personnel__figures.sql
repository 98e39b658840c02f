with

figures as (

    select * from {{ source('lake', 'personnel') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

periods as (

    select
        *,
        {{ period_grain('period') }} as period_grain,
        {{ period_start_date('period') }} as period_start_date
    from figures

),

final as (

    select
        periods.measure_code,
        periods.staff_group_code,
        periods.service_entity_code,
        periods.period as period_code,
        periods.period_grain,
        periods.period_start_date,
        cast(
            {{ period_end_date('periods.period_start_date', 'periods.period_grain') }} as date
        ) as period_end_date,
        cast(periods.value as double) as value,
        cast(periods.value_precision as double) as value_precision,
        periods.value_status,
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
