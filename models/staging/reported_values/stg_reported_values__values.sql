with

reported as (

    select * from {{ source('lake', 'reported_values') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

periods as (

    select
        *,
        {{ period_grain('period') }} as period_grain,
        {{ period_start_date('period') }} as period_start_date
    from reported

),

final as (

    select
        periods.target_id,
        periods.unit_id,
        periods.period as period_code,
        periods.period_grain,
        periods.period_start_date,
        cast(
            {{ period_end_date('periods.period_start_date', 'periods.period_grain') }} as date
        ) as period_end_date,
        cast(periods.numerator as double) as numerator,
        cast(periods.denominator as double) as denominator,
        cast(periods.value as double) as value,
        periods.value_kind,
        periods.value_status,
        periods.evidence,
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
