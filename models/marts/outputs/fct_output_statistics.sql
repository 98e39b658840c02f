with

figures as (

    select * from {{ ref('stg_output_statistics__figures') }}

),

-- A period that begins on or after the as-of date is not known yet (KPI definitions, common
-- rule 3).
known as (

    select *
    from figures
    where period_start_date < {{ as_of_date() }}

),

{% set key = ['measure_code', 'producer_type', 'unit_id', 'period_code'] %}

versions as (

    select
        *,
        {{ version_rank(key) }} as version_rank,
        count(*) over (partition by {{ key | join(', ') }}) as version_count
    from known

),

final as (

    select
        measure_code,
        producer_type,
        unit_id,
        period_code,
        period_grain,
        period_start_date,
        period_end_date,
        value,
        value_status,
        value_reference,
        value_note,
        version_count,
        delivery_id,
        source_document_id,
        source_table,
        source_section,
        source_file,
        source_line,
        source_column
    from versions
    where version_rank = 1

)

select * from final
