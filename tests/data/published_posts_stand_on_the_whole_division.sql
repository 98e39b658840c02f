-- Published posts of the whole division are on its row of the mart, with their number; no row of a
-- service entity repeats them, and no number stands there that nobody published.
with

shown as (

    select * from {{ ref('mart_vacancies') }}
    where posts_count is not null

),

-- A date may end a month, a quarter and a year: the shortest of them speaks for it.
published as (

    select
        count_date,
        service_entity_code,
        staff_group_code,
        value,
        row_number() over (
            partition by count_date, service_entity_code, staff_group_code
            order by case period_grain when 'month' then 1 when 'quarter' then 2 else 3 end
        ) as grain_rank
    from {{ ref('mart_workforce') }}
    where
        measure_code = 'posts'
        and service_entity_code = 'ALL'

),

in_force as (

    select * from published
    where
        grain_rank = 1
        and value is not null

),

final as (

    select
        coalesce(shown.count_date, in_force.count_date) as count_date,
        coalesce(shown.service_entity_code, in_force.service_entity_code)
            as service_entity_code,
        coalesce(shown.staff_group_code, in_force.staff_group_code) as staff_group_code,
        shown.posts_count,
        in_force.value as published_count
    from shown
    full outer join in_force
        on shown.count_date = in_force.count_date
        and shown.service_entity_code = in_force.service_entity_code
        and shown.staff_group_code = in_force.staff_group_code
    where
        shown.count_date is null
        or in_force.count_date is null
        or shown.posts_count <> in_force.value

)

select * from final
