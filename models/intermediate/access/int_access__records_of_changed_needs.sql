{#-
    Columns that models of needs and codes read. The wide scan is kept to the days in which nearly
    all changes lie, and to the few needs that have older records: facts stand about in the order of
    their dates.
-#}
{%- set columns = [
    'record_id', 'event_date', 'care_need_id', 'client_pseudonym', 'client_age', 'unit_id',
    'producer_type', 'record_service_form_code', 'contact_at', 'contact_date', 'contact_channel',
    'contact_service_form_code', 'assessed_at', 'assessed_date', 'assessed_urgency_code',
    'assessed_nature_code', 'assessment_outcome_code', 'booked_at', 'booked_for_at',
    'booked_for_date', 'booked_service_form_code', 'started_at', 'visit_date', 'service_form_code',
    'contact_mode_code', 'channel', 'urgency_code', 'visitor_group_code', 'specialty_code',
    'profession_group', 'is_licensed', 'cancellation_date', 'cancel_reason_code',
    'cancel_reason_role', 'is_realised', 'delivery_id',
] -%}
{%- set first_day = "cast(" ~ dbt.dateadd('day', -200, as_of_date()) ~ " as date)" -%}

with

changed_needs as (

    select care_need_id
    from {{ ref('int_access__changed_needs') }}
    {%- if recomputes_all() %}
    where false
    {%- endif %}

),

needs_with_older_records as (

    select distinct care_need_id
    from {{ ref('fct_care_events') }}
    where
        coalesce(event_date < {{ first_day }}, true)
        and care_need_id in (select changed_needs.care_need_id from changed_needs)

),

final as (

    select
        {{ columns | join(',\n        ') }}
    from {{ ref('fct_care_events') }}
    where
        event_date >= {{ first_day }}
        and care_need_id in (select changed_needs.care_need_id from changed_needs)

    union all

    select
        {{ columns | join(',\n        ') }}
    from {{ ref('fct_care_events') }}
    where
        coalesce(event_date < {{ first_day }}, true)
        and care_need_id in (
            select needs_with_older_records.care_need_id from needs_with_older_records
        )

)

select * from final
