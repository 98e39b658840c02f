with

starts as (

    select * from {{ ref('int_access__need_starts') }}

),

records as (

    {{ records_to_judge() }}

),

measures as (

    select * from {{ ref('access_measures') }}
    where has_wait

),

measure_outcomes as (

    select * from {{ ref('access_measure_outcomes') }}

),

measure_modes as (

    select * from {{ ref('access_measure_modes') }}

),

measure_professions as (

    select * from {{ ref('access_measure_professions') }}

),

measures_of_professions as (

    select distinct measure_code
    from measure_professions

),

limits as (

    select * from {{ ref('legal_limits') }}

),

cancel_reasons as (

    select * from {{ ref('cancel_reasons') }}

),

-- A need is in the population of one measure at most: they differ in service form or urgency.
waiting as (

    select
        starts.care_need_id,
        starts.client_age,
        starts.start_at,
        starts.start_date,
        measures.measure_code,
        measures.needs_licensed,
        measures.counts_resolved_contact
        and starts.outcome_role = 'resolved' as is_resolved_at_contact,
        cast(
            {{ dbt.dateadd('day', 'measures.limit_days', 'starts.start_date') }} as date
        ) as limit_date
    from starts
    inner join measures
        on
        starts.service_form_code = measures.service_form_code
        and starts.urgency_class = measures.urgency_class
        and coalesce(measures.nature_code, starts.nature_code, '')
        = coalesce(starts.nature_code, '')
    inner join measure_outcomes
        on
        measures.measure_code = measure_outcomes.measure_code
        and starts.outcome_role = measure_outcomes.outcome_role

),

-- Local dates decide: a visit on the start date counts also when its hour precedes the assessment.
care as (

    select
        waiting.care_need_id,
        min(records.started_at) as first_care_at,
        min(records.visit_date) as first_care_date
    from waiting
    inner join records
        on
        waiting.care_need_id = records.care_need_id
        and waiting.start_date <= records.visit_date
    inner join measure_modes
        on
        waiting.measure_code = measure_modes.measure_code
        and records.contact_mode_code = measure_modes.contact_mode_code
        and records.visit_date <= coalesce(measure_modes.visit_date_to, {{ last_day_of_all() }})
    left join measure_professions
        on
        waiting.measure_code = measure_professions.measure_code
        and records.profession_group = measure_professions.profession_group
    left join measures_of_professions
        on waiting.measure_code = measures_of_professions.measure_code
    where
        records.is_realised
        and records.visitor_group_code = '1'
        and (records.is_licensed or not waiting.needs_licensed)
        and (
            measure_professions.profession_group is not null
            or measures_of_professions.measure_code is null
        )
    group by waiting.care_need_id

),

-- Needs of which some booking was called off: only of these it matters which booking was the last.
called_off as (

    select distinct care_need_id
    from records
    where
        cancel_reason_code is not null
        and (booked_at is not null or booked_for_at is not null)

),

bookings as (

    select
        *,
        row_number() over (
            partition by care_need_id
            order by booked_at desc nulls last, booked_for_at desc nulls last, record_id desc
        ) as booking_number
    from records
    where
        (booked_at is not null or booked_for_at is not null)
        and care_need_id in (select called_off.care_need_id from called_off)

),

-- How the need's last booking ended, if it ended in one of rule 6's ways.
last_bookings as (

    select
        bookings.care_need_id,
        cancel_reasons.exclusion_reason,
        case
            when bookings.cancel_reason_role = 'no_show'
                then coalesce(bookings.booked_for_date, bookings.cancellation_date)
            else bookings.cancellation_date
        end as exclusion_date
    from bookings
    inner join cancel_reasons
        on bookings.cancel_reason_code = cancel_reasons.cancel_reason_code
    where
        bookings.booking_number = 1
        and cancel_reasons.exclusion_reason is not null

),

-- What the law of the start date gives, by the client's age where it asks for it.
legal as (

    select
        waiting.care_need_id,
        cast(
            {{ dbt.dateadd(
                'month', 'coalesce(limits.limit_months, 0)',
                dbt.dateadd('day', 'coalesce(limits.limit_days, 0)', 'waiting.start_date')
            ) }} as date
        ) as legal_limit_date
    from waiting
    inner join limits
        on
        waiting.measure_code = limits.measure_code
        and waiting.start_date >= coalesce(limits.valid_from, {{ first_day_of_all() }})
        and waiting.start_date <= coalesce(limits.valid_to, {{ last_day_of_all() }})
        and coalesce(waiting.client_age, -1)
        >= coalesce(limits.age_from, case when limits.age_to is null then -1 else 0 end)
        and coalesce(waiting.client_age, -1)
        <= coalesce(limits.age_to, waiting.client_age, -1)

),

judged as (

    select
        waiting.*,
        legal.legal_limit_date,
        case
            when waiting.is_resolved_at_contact then waiting.start_at
            else care.first_care_at
        end as first_care_at,
        case
            when waiting.is_resolved_at_contact then waiting.start_date
            else care.first_care_date
        end as first_care_date,
        last_bookings.exclusion_reason as rule_6_reason,
        last_bookings.exclusion_date as rule_6_date
    from waiting
    left join care
        on waiting.care_need_id = care.care_need_id
    left join last_bookings
        on waiting.care_need_id = last_bookings.care_need_id
    left join legal
        on waiting.care_need_id = legal.care_need_id

),

final as (

    select
        care_need_id,
        measure_code,
        limit_date,
        legal_limit_date,
        first_care_at,
        first_care_date,
        rule_6_reason,
        {{ wait_state('limit_date', 'first_care_date', 'rule_6_reason', 'rule_6_date') }} as state,
        case
            when legal_limit_date is not null then
                {{ wait_state(
                    'legal_limit_date', 'first_care_date', 'rule_6_reason', 'rule_6_date'
                ) }}
        end as statutory_state
    from judged

)

select * from final
