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
        records.visit_date
    from records
    where records.record_id in (select changed.record_id from changed)

),

needs_now as (

    select
        needs.first_event_date,
        needs.start_date,
        needs.first_care_date
    from needs
    inner join changed_needs
        on needs.care_need_id = changed_needs.care_need_id

),

dates as (

    {% for relation, table_name, date_column in [
        ('records_before', 'fct_care_events', 'event_date'),
        ('records_now', 'fct_care_events', 'event_date'),
        ('records_before', 'fct_visits', 'visit_date'),
        ('records_now', 'fct_visits', 'visit_date'),
        ('needs_before', 'fct_waiting_times', 'first_event_date'),
        ('needs_now', 'fct_waiting_times', 'first_event_date'),
        ('needs_before', 'fct_waiting_times', 'start_date'),
        ('needs_now', 'fct_waiting_times', 'start_date'),
        ('needs_before', 'fct_waiting_times', 'first_care_date'),
        ('needs_now', 'fct_waiting_times', 'first_care_date'),
    ] -%}
    select
        '{{ table_name }}' as table_name,
        '{{ date_column }}' as date_column,
        cast({{ dbt.date_trunc('month', date_column) }} as date) as month_start_date
    from {{ relation }}
    {%- if date_column not in ('event_date', 'first_event_date') %}
    where {{ date_column }} is not null
    {%- endif %}
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}

),

final as (

    select distinct
        table_name,
        date_column,
        month_start_date
    from dates

)

select * from final
