with

records as (

    {{ records_to_judge() }}

),

urgencies as (

    select * from {{ ref('urgencies') }}

),

outcomes as (

    select * from {{ ref('assessment_outcomes') }}

),

units as (

    select * from {{ ref('dim_unit') }}

),

-- The first assessment starts a need's only clock (KPI rule 5).
assessments as (

    select
        *,
        row_number() over (
            partition by care_need_id
            order by assessed_at, record_id
        ) as assessment_number
    from records
    where assessed_at is not null

),

final as (

    select
        assessments.care_need_id,
        assessments.client_pseudonym,
        assessments.client_age,
        assessments.unit_id,
        units.area_code,
        assessments.producer_type,
        assessments.record_service_form_code as service_form_code,
        urgencies.urgency_class,
        assessments.assessed_nature_code as nature_code,
        outcomes.outcome_role,
        assessments.assessed_at as start_at,
        assessments.assessed_date as start_date,
        assessments.contact_at is not null as has_contact,
        assessments.contact_channel,
        assessments.contact_mode_code,
        assessments.delivery_id
    from assessments
    left join urgencies
        on
        assessments.assessed_urgency_code = urgencies.urgency_code
        and assessments.assessed_date >= coalesce(urgencies.valid_from, {{ first_day_of_all() }})
        and assessments.assessed_date <= coalesce(urgencies.valid_to, {{ last_day_of_all() }})
    left join outcomes
        on assessments.assessment_outcome_code = outcomes.outcome_code
    left join units
        on
        assessments.unit_id = units.unit_id
        and assessments.assessed_date >= coalesce(units.valid_from, {{ first_day_of_all() }})
        and assessments.assessed_date <= coalesce(units.valid_to, {{ last_day_of_all() }})
    where assessments.assessment_number = 1

)

select * from final
