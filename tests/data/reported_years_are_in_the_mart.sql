-- A year's own figure of a whole measure is the mart's figure, and what the mart calls reported is
-- in the fact: the same value, status and delivery on both sides.
with

figures_of_years as (

    select * from {{ ref('mart_output_statistics') }}

),

facts as (

    select * from {{ ref('fct_output_statistics') }}

),

measures as (

    select * from {{ ref('output_measures') }}

),

reported as (

    select
        facts.measure_code,
        cast(facts.period_code as integer) as year,
        facts.value,
        facts.value_status,
        facts.delivery_id
    from facts
    inner join measures
        on facts.measure_code = measures.measure_code
        and facts.producer_type = measures.producer_type
    where
        facts.unit_id is null
        and facts.period_grain = 'year'

),

shown as (

    select
        measure_code,
        year,
        value,
        value_status,
        delivery_id
    from figures_of_years
    where value_basis = 'reported'

),

final as (

    select
        coalesce(reported.measure_code, shown.measure_code) as measure_code,
        coalesce(reported.year, shown.year) as year,
        reported.value as fact_value,
        shown.value as mart_value,
        reported.value_status as fact_status,
        shown.value_status as mart_status
    from reported
    full outer join shown
        on reported.measure_code = shown.measure_code
        and reported.year = shown.year
    where
        reported.measure_code is null
        or shown.measure_code is null
        or coalesce(reported.value, -1) <> coalesce(shown.value, -1)
        or coalesce(reported.value_status, '') <> coalesce(shown.value_status, '')
        or coalesce(reported.delivery_id, '') <> coalesce(shown.delivery_id, '')

)

select * from final
