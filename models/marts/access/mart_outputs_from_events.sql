with

visits as (

    select * from {{ ref('int_access__monthly_visits') }}

),

rules as (

    select * from {{ ref('event_output_measures') }}
    where counted = 'visits'

),

outputs as (

    select * from {{ ref('mart_output_statistics') }}

),

grouped as (

    select
        cast(extract(year from month_start_date) as integer) as year,
        service_form_code,
        contact_mode_code,
        channel,
        profession_group,
        producer_type,
        specialty_code,
        sum(visit_count) as visit_count
    from visits
    group by 1, 2, 3, 4, 5, 6, 7

),

-- An empty field of a rule holds for any event; the rules of a measure overlap nowhere.
counted as (

    select
        rules.measure_code,
        grouped.year,
        cast(sum(grouped.visit_count) as bigint) as event_count
    from grouped
    inner join rules
        on
        grouped.contact_mode_code = rules.contact_mode_code
        and coalesce(rules.service_form_code, grouped.service_form_code, '')
        = coalesce(grouped.service_form_code, '')
        and coalesce(rules.channel, grouped.channel, '') = coalesce(grouped.channel, '')
        and coalesce(rules.profession_group, grouped.profession_group, '')
        = coalesce(grouped.profession_group, '')
        and coalesce(rules.producer_type, grouped.producer_type, '')
        = coalesce(grouped.producer_type, '')
        and coalesce(grouped.specialty_code, '') like coalesce(rules.specialty_prefix, '') || '%'
    group by 1, 2

),

final as (

    select
        counted.measure_code,
        counted.year,
        counted.event_count,
        outputs.value as published_count,
        outputs.value_status as published_status,
        counted.event_count - outputs.value as difference_count,
        {{ share_of('counted.event_count', 'outputs.value') }} as event_share,
        outputs.source_document_id,
        outputs.source_table
    from counted
    left join outputs
        on
        counted.measure_code = outputs.measure_code
        and counted.year = outputs.year

)

select * from final
