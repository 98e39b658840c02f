with

posts as (

    select * from {{ ref('stg_positions__posts') }}

),

-- What is dated on or after the as-of date is not known yet (KPI definitions, common rule 3).
known as (

    select *
    from posts
    where count_date < {{ as_of_date() }}

),

versions as (

    select
        *,
        {{ version_rank(['count_date', 'post_id']) }} as version_rank,
        count(*) over (partition by count_date, post_id) as version_count
    from known

),

final as (

    select
        count_date,
        post_id,
        service_entity_code,
        staff_group_code,
        unit_id,
        fte_share,
        has_holder,
        has_substitute,
        absent_since_date,
        post_status,
        -- An abolished post is none; one under a hiring ban still is, and may be vacant.
        post_status <> 'abolished' as is_counted,
        post_status <> 'abolished' and not has_holder and not has_substitute as is_vacant,
        version_count,
        {{ provenance_columns('versions') }}
    from versions
    where version_rank = 1

)

select * from final
