with

reported as (

    select * from {{ ref('stg_reported_values__values') }}

),

-- A period that begins on or after the as-of date is not known yet (KPI definitions, common
-- rule 3).
known as (

    select *
    from reported
    where period_start_date < {{ as_of_date() }}

),

{% set key = ['target_id', 'unit_id', 'period_code'] %}

versions as (

    select
        *,
        {{ version_rank(key) }} as version_rank,
        count(*) over (partition by {{ key | join(', ') }}) as version_count
    from known

),

final as (

    select
        target_id,
        unit_id,
        period_code,
        period_grain,
        period_start_date,
        period_end_date,
        numerator,
        denominator,
        value,
        value_kind,
        value_status,
        evidence,
        version_count,
        {{ provenance_columns('versions') }}
    from versions
    where version_rank = 1

)

select * from final
