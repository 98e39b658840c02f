{#-
    A block that is dated on or after the as-of date is not known yet (KPI rule 3), a booking by the
    day it was made: its columns are empty.
-#}
{%- set blocks = {
    'contact': ['contact_at', 'contact_date', 'contact_channel', 'contact_service_form_code'],
    'assessment': [
        'assessed_at', 'assessed_date', 'assessor_licence_code', 'assessed_urgency_code',
        'assessed_nature_code', 'assessment_outcome_code',
    ],
    'booking': [
        'booked_at', 'booked_date', 'booked_for_at', 'booked_for_date',
        'booked_service_form_code',
    ],
    'visit': [
        'started_at', 'visit_date', 'ended_at', 'service_form_code', 'contact_mode_code',
        'channel', 'urgency_code', 'nature_code', 'is_first_visit', 'visitor_group_code',
        'specialty_code', 'licence_code', 'profession_code',
    ],
    'cancellation': ['cancelled_at', 'cancel_reason_code'],
} -%}

-- depends_on: {{ ref('int_access__changed_records') }}
with

records as (

    select * from {{ ref('int_access__newest_records') }}

),

cancel_reasons as (

    select * from {{ ref('cancel_reasons') }}

),

licences as (

    select * from {{ ref('licences') }}

),

professions as (

    select * from {{ ref('professions') }}

),

-- Often a reason is noted and the time is not: a no-show is then dated by its slot, any other
-- cancellation by the version that tells of it.
dated as (

    select
        records.*,
        cancel_reasons.cancel_reason_role,
        case
            when records.cancelled_at is not null or records.cancel_reason_code is not null
                then coalesce(
                    records.cancelled_date,
                    case
                        when cancel_reasons.cancel_reason_role = 'no_show'
                            then records.booked_for_date
                    end,
                    records.record_updated_date
                )
        end as cancellation_date
    from records
    left join cancel_reasons
        on records.cancel_reason_code = cancel_reasons.cancel_reason_code

),

known as (

    select
        *,
        coalesce(contact_date < {{ as_of_date() }}, true) as knows_contact,
        coalesce(assessed_date < {{ as_of_date() }}, true) as knows_assessment,
        coalesce(booked_date < {{ as_of_date() }}, true) as knows_booking,
        coalesce(visit_date < {{ as_of_date() }}, true) as knows_visit,
        coalesce(cancellation_date < {{ as_of_date() }}, true) as knows_cancellation
    from dated

),

blanked as (

    select
        record_id,
        record_updated_at,
        record_updated_date,
        care_need_id,
        client_pseudonym,
        client_age,
        home_municipality_code,
        provider_id,
        unit_id,
        producer_type,
        {%- for block, columns in blocks.items() %}
        {%- for column in columns %}
        case when knows_{{ block }} then {{ column }} end as {{ column }},
        {%- endfor %}
        {%- endfor %}
        case when knows_cancellation then cancellation_date end as cancellation_date,
        case when knows_cancellation then cancel_reason_role end as cancel_reason_role,
        -- No date hides that a visit was cancelled; what it is dated by is only our reading.
        cancelled_at is null and cancel_reason_code is not null as is_cancelled_undated,
        delivery_id
    from known

),

final as (

    select
        blanked.record_id,
        blanked.record_updated_at,
        coalesce(
            blanked.assessed_date,
            blanked.contact_date,
            blanked.visit_date,
            blanked.booked_date,
            blanked.booked_for_date
        ) as event_date,
        coalesce(blanked.care_need_id, 'record:' || blanked.record_id) as care_need_id,
        blanked.care_need_id is not null as has_care_need_id,
        blanked.client_pseudonym,
        blanked.client_age,
        blanked.home_municipality_code,
        blanked.provider_id,
        blanked.unit_id,
        blanked.producer_type,
        coalesce(
            blanked.contact_service_form_code,
            blanked.booked_service_form_code,
            blanked.service_form_code
        ) as record_service_form_code,
        blanked.contact_at,
        blanked.contact_date,
        blanked.contact_channel,
        blanked.contact_service_form_code,
        blanked.assessed_at,
        blanked.assessed_date,
        blanked.assessor_licence_code,
        blanked.assessed_urgency_code,
        blanked.assessed_nature_code,
        blanked.assessment_outcome_code,
        blanked.booked_at,
        blanked.booked_date,
        blanked.booked_for_at,
        blanked.booked_for_date,
        blanked.booked_service_form_code,
        blanked.started_at,
        blanked.visit_date,
        blanked.ended_at,
        blanked.service_form_code,
        blanked.contact_mode_code,
        blanked.channel,
        blanked.urgency_code,
        blanked.nature_code,
        blanked.is_first_visit,
        blanked.visitor_group_code,
        blanked.specialty_code,
        blanked.licence_code,
        blanked.profession_code,
        case
            when licences.profession_group <> 'other' then licences.profession_group
            else professions.profession_group
        end as profession_group,
        coalesce(licences.is_licensed, false) as is_licensed,
        blanked.cancelled_at,
        blanked.cancellation_date,
        blanked.cancel_reason_code,
        blanked.cancel_reason_role,
        blanked.started_at is not null
        and blanked.cancellation_date is null
        and not blanked.is_cancelled_undated as is_realised,
        blanked.delivery_id
    from blanked
    left join licences
        on blanked.licence_code = licences.licence_code
    left join professions
        on
        blanked.profession_code = professions.profession_code
        and blanked.visit_date >= coalesce(professions.valid_from, {{ first_day_of_all() }})
        and blanked.visit_date <= coalesce(professions.valid_to, {{ last_day_of_all() }})
    where
        coalesce(
            blanked.contact_at,
            blanked.assessed_at,
            blanked.booked_at,
            blanked.booked_for_at,
            blanked.started_at
        ) is not null

)

select * from final
