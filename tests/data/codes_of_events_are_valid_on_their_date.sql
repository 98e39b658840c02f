-- A known code outside its validity on the event's date is loaded and reported.
with

used as (

    select
        'contact_service_form_code' as column_name,
        'service_form' as code_set,
        contact_service_form_code as code,
        contact_date as event_date,
        count(*) as record_count
    from {{ ref('fct_care_events') }}
    where contact_service_form_code is not null and contact_date is not null
    group by contact_service_form_code, contact_date

    union all

    select
        'booked_service_form_code' as column_name,
        'service_form' as code_set,
        booked_service_form_code as code,
        booked_for_date as event_date,
        count(*) as record_count
    from {{ ref('fct_care_events') }}
    where booked_service_form_code is not null and booked_for_date is not null
    group by booked_service_form_code, booked_for_date

    union all

    select
        'service_form_code' as column_name,
        'service_form' as code_set,
        service_form_code as code,
        visit_date as event_date,
        count(*) as record_count
    from {{ ref('fct_care_events') }}
    where service_form_code is not null and visit_date is not null
    group by service_form_code, visit_date

    union all

    select
        'assessed_urgency_code' as column_name,
        'urgency' as code_set,
        assessed_urgency_code as code,
        assessed_date as event_date,
        count(*) as record_count
    from {{ ref('fct_care_events') }}
    where assessed_urgency_code is not null and assessed_date is not null
    group by assessed_urgency_code, assessed_date

    union all

    select
        'urgency_code' as column_name,
        'urgency' as code_set,
        urgency_code as code,
        visit_date as event_date,
        count(*) as record_count
    from {{ ref('fct_care_events') }}
    where urgency_code is not null and visit_date is not null
    group by urgency_code, visit_date

    union all

    select
        'contact_mode_code' as column_name,
        'contact_mode' as code_set,
        contact_mode_code as code,
        visit_date as event_date,
        count(*) as record_count
    from {{ ref('fct_care_events') }}
    where contact_mode_code is not null and visit_date is not null
    group by contact_mode_code, visit_date

),

codes as (

    select * from {{ ref('dim_care_code') }}

),

final as (

    select
        used.column_name,
        used.code,
        min(used.event_date) as first_date,
        max(used.event_date) as last_date,
        sum(used.record_count) as record_count
    from used
    left join codes
        on
        used.code_set = codes.code_set
        and used.code = codes.code
        and used.event_date >= coalesce(codes.valid_from, {{ first_day_of_all() }})
        and used.event_date <= coalesce(codes.valid_to, {{ last_day_of_all() }})
    where codes.code is null
    group by used.column_name, used.code

)

select * from final
