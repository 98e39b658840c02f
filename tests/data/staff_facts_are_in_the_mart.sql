-- Headcounts and training are in the mart with the value and status of their fact, and what the
-- mart shows of these two subjects is in the facts.
with

headcounts as (

    select * from {{ ref('fct_headcount') }}

),

trainings as (

    select * from {{ ref('fct_training') }}

),

measures as (

    select * from {{ ref('personnel_measures') }}
    where subject in ('headcount', 'training')

),

facts as (

    select
        measure_code,
        service_entity_code,
        staff_group_code,
        period_code,
        value,
        value_status,
        delivery_id
    from headcounts

    union all

    select
        measure_code,
        service_entity_code,
        staff_group_code,
        period_code,
        value,
        value_status,
        delivery_id
    from trainings

),

shown as (

    select workforce.*
    from {{ ref('mart_workforce') }} as workforce
    inner join measures
        on workforce.measure_code = measures.measure_code

),

final as (

    select
        coalesce(facts.measure_code, shown.measure_code) as measure_code,
        coalesce(facts.service_entity_code, shown.service_entity_code)
            as service_entity_code,
        coalesce(facts.staff_group_code, shown.staff_group_code) as staff_group_code,
        coalesce(facts.period_code, shown.period_code) as period_code,
        facts.value as fact_value,
        shown.value as mart_value
    from facts
    full outer join shown
        on facts.measure_code = shown.measure_code
        and facts.service_entity_code = shown.service_entity_code
        and facts.staff_group_code = shown.staff_group_code
        and facts.period_code = shown.period_code
    where
        facts.measure_code is null
        or shown.measure_code is null
        or coalesce(facts.value, -1) <> coalesce(shown.value, -1)
        or coalesce(facts.value_status, '') <> coalesce(shown.value_status, '')
        or facts.delivery_id <> shown.delivery_id

)

select * from final
