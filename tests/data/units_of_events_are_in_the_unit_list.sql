-- Units that the unit list does not know are loaded and reported: their needs have no area. Events
-- have few units, which are looked up first: the events are read for their keys only where one of
-- them is unknown. Both steps read the table itself: an import that they share would be written out
-- whole.
with

used as (

    select unit_id
    from {{ ref('fct_care_events') }}
    where unit_id is not null
    group by unit_id

),

units as (

    select distinct unit_id
    from {{ ref('dim_unit') }}

),

unknown as (

    select used.unit_id
    from used
    left join units
        on used.unit_id = units.unit_id
    where units.unit_id is null

),

final as (

    select
        events.record_id,
        events.delivery_id,
        events.unit_id
    from {{ ref('fct_care_events') }} as events
    inner join unknown
        on events.unit_id = unknown.unit_id

)

select * from final
