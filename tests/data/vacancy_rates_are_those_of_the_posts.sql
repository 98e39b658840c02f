-- Told apart from the models: straight from the delivered states of the posts in force, over
-- grouping sets; a group of groups has its own posts and theirs. A rate is a share of 0 to 1, and
-- every scope with posts has its row.
with

posts as (

    select
        count_date,
        service_entity_code,
        staff_group_code,
        fte_share,
        case when has_holder or has_substitute then 0 else fte_share end as empty_share,
        case when has_holder or has_substitute then 0 else 1 end as empty_count
    from {{ ref('fct_positions') }}
    where post_status in ('active', 'frozen')

),

staff_groups as (

    select * from {{ ref('staff_groups') }}

),

of_groups as (

    select
        posts.*,
        posts.staff_group_code as scope_code
    from posts
    where staff_group_code <> 'ALL'

    union all

    select
        posts.*,
        staff_groups.parent_staff_group_code as scope_code
    from posts
    inner join staff_groups
        on posts.staff_group_code = staff_groups.staff_group_code
    where staff_groups.parent_staff_group_code <> 'ALL'

),

expected as (

    select
        count_date,
        coalesce(service_entity_code, 'ALL') as service_entity_code,
        scope_code as staff_group_code,
        count(*) as position_count,
        sum(empty_count) as vacant_position_count,
        cast(sum(fte_share) as double) as position_fte,
        cast(sum(empty_share) as double) as vacant_fte
    from of_groups
    group by
        grouping sets (
            (count_date, service_entity_code, scope_code),
            (count_date, scope_code)
        )
    having coalesce(service_entity_code, '') <> 'ALL'

    union all

    select
        count_date,
        coalesce(service_entity_code, 'ALL') as service_entity_code,
        'ALL' as staff_group_code,
        count(*) as position_count,
        sum(empty_count) as vacant_position_count,
        cast(sum(fte_share) as double) as position_fte,
        cast(sum(empty_share) as double) as vacant_fte
    from posts
    group by
        grouping sets (
            (count_date, service_entity_code),
            (count_date)
        )
    having coalesce(service_entity_code, '') <> 'ALL'

),

shown as (

    select * from {{ ref('mart_vacancies') }}
    where
        position_count is not null
        or vacancy_rate is not null

),

final as (

    select
        coalesce(expected.count_date, shown.count_date) as count_date,
        coalesce(expected.service_entity_code, shown.service_entity_code)
            as service_entity_code,
        coalesce(expected.staff_group_code, shown.staff_group_code) as staff_group_code,
        shown.vacancy_rate,
        expected.vacant_fte,
        expected.position_fte
    from expected
    full outer join shown
        on expected.count_date = shown.count_date
        and expected.service_entity_code = shown.service_entity_code
        and expected.staff_group_code = shown.staff_group_code
    where
        expected.count_date is null
        or shown.count_date is null
        or shown.position_count <> expected.position_count
        or shown.vacant_position_count <> expected.vacant_position_count
        or abs(shown.position_fte - expected.position_fte) > 1e-9
        or abs(shown.vacant_fte - expected.vacant_fte) > 1e-9
        or (expected.position_fte > 0 and shown.vacancy_rate is null)
        or (expected.position_fte = 0 and shown.vacancy_rate is not null)
        or abs(shown.vacancy_rate * expected.position_fte - expected.vacant_fte) > 1e-9
        or shown.vacancy_rate < 0
        or shown.vacancy_rate > 1

)

select * from final
