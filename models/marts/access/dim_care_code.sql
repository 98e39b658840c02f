with

service_forms as (

    select * from {{ ref('service_forms') }}

),

contact_modes as (

    select * from {{ ref('contact_modes') }}

),

urgencies as (

    select * from {{ ref('urgencies') }}

),

care_natures as (

    select * from {{ ref('care_natures') }}

),

assessment_outcomes as (

    select * from {{ ref('assessment_outcomes') }}

),

cancel_reasons as (

    select * from {{ ref('cancel_reasons') }}

),

contact_channels as (

    select * from {{ ref('contact_channels') }}

),

visit_channels as (

    select * from {{ ref('visit_channels') }}

),

all_sets as (

    select
        'service_form' as code_set,
        service_form_code as code,
        service_form_name_fi as code_name_fi,
        service_form_name_sv as code_name_sv,
        service_form_name_en as code_name_en,
        cast(null as varchar) as code_role,
        'register' as code_source,
        valid_from,
        valid_to
    from service_forms

    union all

    select
        'contact_mode' as code_set,
        contact_mode_code as code,
        contact_mode_name_fi as code_name_fi,
        contact_mode_name_sv as code_name_sv,
        contact_mode_name_en as code_name_en,
        case
            when is_asynchronous then 'remote_asynchronous'
            when is_remote then 'remote_real_time'
            else 'not_remote'
        end as code_role,
        'register' as code_source,
        valid_from,
        valid_to
    from contact_modes

    union all

    select
        'urgency' as code_set,
        urgency_code as code,
        urgency_name_fi as code_name_fi,
        urgency_name_sv as code_name_sv,
        urgency_name_en as code_name_en,
        urgency_class as code_role,
        'register' as code_source,
        valid_from,
        valid_to
    from urgencies

    union all

    select
        'care_nature' as code_set,
        nature_code as code,
        nature_name_fi as code_name_fi,
        nature_name_sv as code_name_sv,
        nature_name_en as code_name_en,
        cast(null as varchar) as code_role,
        'register' as code_source,
        valid_from,
        valid_to
    from care_natures

    union all

    select
        'assessment_outcome' as code_set,
        outcome_code as code,
        outcome_name_fi as code_name_fi,
        outcome_name_sv as code_name_sv,
        outcome_name_en as code_name_en,
        outcome_role as code_role,
        'internal' as code_source,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from assessment_outcomes

    union all

    select
        'cancel_reason' as code_set,
        cancel_reason_code as code,
        cancel_reason_name_fi as code_name_fi,
        cancel_reason_name_sv as code_name_sv,
        cancel_reason_name_en as code_name_en,
        cancel_reason_role as code_role,
        'internal' as code_source,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from cancel_reasons

    union all

    select
        'contact_channel' as code_set,
        contact_channel as code,
        contact_channel_name_fi as code_name_fi,
        contact_channel_name_sv as code_name_sv,
        contact_channel_name_en as code_name_en,
        case when is_specific then 'specific' else 'unspecific' end as code_role,
        'internal' as code_source,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from contact_channels

    union all

    select
        'visit_channel' as code_set,
        channel as code,
        channel_name_fi as code_name_fi,
        channel_name_sv as code_name_sv,
        channel_name_en as code_name_en,
        cast(null as varchar) as code_role,
        'internal' as code_source,
        cast(null as date) as valid_from,
        cast(null as date) as valid_to
    from visit_channels

),

final as (

    select
        code_set,
        code,
        code_name_fi,
        code_name_sv,
        code_name_en,
        code_role,
        code_source,
        valid_from,
        valid_to,
        coalesce(valid_from < {{ as_of_date() }}, true)
        and coalesce(valid_to >= {{ as_of_date() }}, true) as is_valid
    from all_sets

)

select * from final
