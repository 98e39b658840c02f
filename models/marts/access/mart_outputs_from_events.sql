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

measures as (

    select measure_code
    from rules
    group by 1

),

-- A year that has visits is one that events cover, also for a measure that no visit counts for: its
-- published figure then stands beside 0.
covered_years as (

    select year
    from grouped
    group by 1

),

with_nothing_counted as (

    select
        measures.measure_code,
        covered_years.year,
        coalesce(counted.event_count, 0) as event_count
    from measures
    cross join covered_years
    left join counted
        on
        measures.measure_code = counted.measure_code
        and covered_years.year = counted.year

),

final as (

    select
        with_nothing_counted.measure_code,
        with_nothing_counted.year,
        with_nothing_counted.event_count,
        outputs.value as published_count,
        outputs.value_status as published_status,
        with_nothing_counted.event_count - outputs.value as difference_count,
        {{ share_of('with_nothing_counted.event_count', 'outputs.value') }} as event_share,
        outputs.source_document_id,
        outputs.source_table
    from with_nothing_counted
    left join outputs
        on
        with_nothing_counted.measure_code = outputs.measure_code
        and with_nothing_counted.year = outputs.year

)

select * from final
