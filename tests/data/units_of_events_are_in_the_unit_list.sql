-- Units that the unit list does not know are loaded and reported: their needs have no area.
with

events as (

    select
        unit_id,
        count(*) as record_count
    from {{ ref('fct_care_events') }}
    where unit_id is not null
    group by unit_id

),

units as (

    select distinct unit_id
    from {{ ref('dim_unit') }}

),

final as (

    select
        events.unit_id,
        events.record_count
    from events
    left join units
        on events.unit_id = units.unit_id
    where units.unit_id is null

)

select * from final
