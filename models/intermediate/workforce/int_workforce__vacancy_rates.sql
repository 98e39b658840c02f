with

posts as (

    select * from {{ ref('fct_positions') }}
    where is_counted

),

-- Every post counts in its own entity and group, and in the totals over each of them; one that is
-- delivered for a total is in it already.
scopes as (

    select
        count_date,
        service_entity_code,
        staff_group_code,
        fte_share,
        is_vacant,
        delivery_id
    from posts

    union all

    select
        count_date,
        'ALL' as service_entity_code,
        staff_group_code,
        fte_share,
        is_vacant,
        delivery_id
    from posts
    where service_entity_code <> 'ALL'

    union all

    select
        count_date,
        service_entity_code,
        'ALL' as staff_group_code,
        fte_share,
        is_vacant,
        delivery_id
    from posts
    where staff_group_code <> 'ALL'

    union all

    select
        count_date,
        'ALL' as service_entity_code,
        'ALL' as staff_group_code,
        fte_share,
        is_vacant,
        delivery_id
    from posts
    where
        service_entity_code <> 'ALL'
        and staff_group_code <> 'ALL'

),

final as (

    select
        count_date,
        service_entity_code,
        staff_group_code,
        count(*) as position_count,
        sum(case when is_vacant then 1 else 0 end) as vacant_position_count,
        cast(sum(fte_share) as double) as position_fte,
        cast(sum(case when is_vacant then fte_share else 0 end) as double) as vacant_fte,
        max(delivery_id) as delivery_id
    from scopes
    group by count_date, service_entity_code, staff_group_code

)

select * from final
