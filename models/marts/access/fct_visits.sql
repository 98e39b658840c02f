with

records as (

    select * from {{ ref('fct_care_events') }}

),

final as (

    select
        record_id,
        client_pseudonym,
        unit_id,
        producer_type,
        service_form_code,
        contact_mode_code,
        channel,
        profession_group,
        specialty_code,
        visitor_group_code,
        started_at,
        visit_date,
        care_need_id,
        delivery_id
    from records
    where is_realised

)

select * from final
