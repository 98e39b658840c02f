-- The mart has the fact's shortfall, each with its value and status and once. Every other row has
-- no shortfall and stands on published posts or on counted ones.
with

shown as (

    select * from {{ ref('mart_vacancies') }}

),

facts as (

    select * from {{ ref('fct_vacancies') }}

),

posts as (

    select
        count_date,
        service_entity_code,
        staff_group_code
    from {{ ref('mart_workforce') }}
    where measure_code = 'posts'
    group by count_date, service_entity_code, staff_group_code

),

final as (

    select
        coalesce(facts.count_date, shown.count_date) as count_date,
        coalesce(facts.service_entity_code, shown.service_entity_code) as service_entity_code,
        coalesce(facts.staff_group_code, shown.staff_group_code) as staff_group_code,
        facts.shortfall_share as fact_share,
        shown.shortfall_share as mart_share
    from facts
    full outer join shown
        on facts.count_date = shown.count_date
        and facts.service_entity_code = shown.service_entity_code
        and facts.staff_group_code = shown.staff_group_code
    left join posts
        on shown.count_date = posts.count_date
        and shown.service_entity_code = posts.service_entity_code
        and shown.staff_group_code = posts.staff_group_code
    where
        shown.count_date is null
        or coalesce(facts.shortfall_share, -1) <> coalesce(shown.shortfall_share, -1)
        or (
            facts.count_date is not null
            and coalesce(facts.value_status, '') <> coalesce(shown.value_status, '')
        )
        or (
            facts.count_date is null
            and posts.count_date is null
            and shown.position_count is null
        )

)

select * from final
