with

figures as (

    select * from {{ ref('stg_personnel__figures') }}

),

measures as (

    select * from {{ ref('dim_personnel_measure') }}

),

-- A count dated on or after the as-of date is not known yet, nor is a period that begins on or
-- after it (KPI definitions, common rule 3).
known as (

    select
        figures.*,
        measures.subject,
        measures.kind
    from figures
    inner join measures
        on figures.measure_code = measures.measure_code
    where
        case measures.kind
            when 'stock' then figures.period_end_date else figures.period_start_date
        end < {{ as_of_date() }}

),

{% set key = ['measure_code', 'staff_group_code', 'service_entity_code', 'period_code'] %}

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
        subject,
        kind,
        staff_group_code,
        service_entity_code,
        period_code,
        period_grain,
        period_start_date,
        period_end_date,
        value,
        value_precision,
        value_status,
        value_note,
        version_count,
        {{ provenance_columns('versions') }}
    from versions
    where version_rank = 1

)

select * from final
