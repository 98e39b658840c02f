with

shares as (

    select * from {{ ref('stg_shortfall__shares') }}

),

-- What is dated on or after the as-of date is not known yet (KPI definitions, common rule 3).
known as (

    select *
    from shares
    where count_date < {{ as_of_date() }}

),

{% set key = ['count_date', 'service_entity_code', 'staff_group_code'] %}

versions as (

    select
        *,
        {{ version_rank(key) }} as version_rank,
        count(*) over (partition by {{ key | join(', ') }}) as version_count
    from known

),

final as (

    select
        count_date,
        service_entity_code,
        staff_group_code,
        shortfall_share,
        value_status,
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
