with

records as (

    select * from {{ source('lake', 'care_events') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

final as (

    select
        records.record_id,
        records.record_updated_at,
        records.record_updated_date,
        records.is_deleted,
        records.care_need_id,
        records.client_pseudonym,
        records.client_age,
        records.home_municipality_code,
        records.provider_id,
        records.unit_id,
        records.producer_type,
        records.contact_at,
        records.contact_date,
        records.contact_channel,
        records.contact_service_form_code,
        records.assessed_at,
        records.assessed_date,
        records.assessor_licence_code,
        records.assessed_urgency_code,
        records.assessed_nature_code,
        records.assessment_outcome_code,
        records.booked_at,
        records.booked_date,
        records.booked_for_at,
        records.booked_for_date,
        records.booked_service_form_code,
        records.started_at,
        records.visit_date,
        records.ended_at,
        records.service_form_code,
        records.contact_mode_code,
        records.channel,
        records.urgency_code,
        records.nature_code,
        records.is_first_visit,
        records.visitor_group_code,
        records.specialty_code,
        records.licence_code,
        records.profession_code,
        records.cancelled_at,
        records.cancelled_date,
        records.cancel_reason_code,
        records.delivery_id,
        deliveries.delivery_date
    from records
    left join deliveries
        on records.delivery_id = deliveries.delivery_id

)

select * from final
