with

posts as (

    select * from {{ ref('fct_positions') }}
    where is_counted

),

staff_groups as (

    select * from {{ ref('dim_staff_group') }}

),

-- The groups that a post of a group counts in: its own, those above it, and the whole staff. The
-- list has two levels below `ALL`; a third is provided for.
group_scopes as (

    select
        staff_group_code,
        staff_group_code as scope_code
    from staff_groups

    union all

    select
        staff_group_code,
        'ALL' as scope_code
    from staff_groups
    where staff_group_code <> 'ALL'

    union all

    select
        staff_group_code,
        parent_staff_group_code as scope_code
    from staff_groups
    where parent_staff_group_code <> 'ALL'

    union all

    select
        children.staff_group_code,
        parents.parent_staff_group_code as scope_code
    from staff_groups as children
    inner join staff_groups as parents
        on children.parent_staff_group_code = parents.staff_group_code
    where parents.parent_staff_group_code <> 'ALL'

),

-- Every post counts in its own entity and in the total over them; one that is delivered for the
-- whole division is in the total already.
in_entities as (

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

),

scopes as (

    select
        in_entities.count_date,
        in_entities.service_entity_code,
        group_scopes.scope_code as staff_group_code,
        in_entities.fte_share,
        in_entities.is_vacant,
        in_entities.delivery_id
    from in_entities
    inner join group_scopes
        on in_entities.staff_group_code = group_scopes.staff_group_code

),

final as (

    select
        count_date,
        service_entity_code,
        staff_group_code,
        count(*) as position_count,
        cast(sum(case when is_vacant then 1 else 0 end) as bigint) as vacant_position_count,
        cast(sum(fte_share) as double) as position_fte,
        cast(sum(case when is_vacant then fte_share else 0 end) as double) as vacant_fte,
        max(delivery_id) as delivery_id
    from scopes
    group by count_date, service_entity_code, staff_group_code

)

select * from final
