with

changed as (

    select record_id
    from {{ ref('int_access__changed_records') }}

),

-- Records that the build before had.
records_before as (

    select * from {{ ref('int_access__changed_records') }}
    where care_need_id is not null

),

visits_before as (

    select * from records_before
    where is_realised

),

changed_needs as (

    select * from {{ ref('int_access__changed_needs') }}

),

needs_before as (

    select * from changed_needs
    where was_known

),

records as (

    select * from {{ ref('int_access__records_of_changed_needs') }}

),

needs as (

    select * from {{ ref('fct_waiting_times') }}

),

records_now as (

    select
        records.event_date,
        records.visit_date,
        records.is_realised
    from records
    where records.record_id in (select changed.record_id from changed)

),

visits_now as (

    select * from records_now
    where is_realised

),

needs_now as (

    select needs.first_event_date
    from needs
    inner join changed_needs
        on needs.care_need_id = changed_needs.care_need_id

),

dates as (

    {% for relation, table_name, date_column in [
        ('records_before', 'fct_care_events', 'event_date'),
        ('records_now', 'fct_care_events', 'event_date'),
        ('visits_before', 'fct_visits', 'visit_date'),
        ('visits_now', 'fct_visits', 'visit_date'),
        ('needs_before', 'fct_waiting_times', 'first_event_date'),
        ('needs_now', 'fct_waiting_times', 'first_event_date'),
    ] -%}
    select
        '{{ table_name }}' as table_name,
        {{ date_column }} as changed_date
    from {{ relation }}
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select distinct
        table_name,
        changed_date
    from dates

)

select * from final
