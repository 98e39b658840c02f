with

starts as (

    select * from {{ ref('int_access__need_starts') }}

),

records as (

    {{ records_to_judge() }}

),

measures as (

    select * from {{ ref('access_measures') }}
    where measure_code = 'first_contact_resolution'

),

channels as (

    select * from {{ ref('contact_channels') }}

),

contacted as (

    select
        starts.care_need_id,
        starts.client_pseudonym,
        starts.start_date,
        starts.outcome_role,
        measures.service_form_code,
        measures.limit_days,
        cast(
            {{ dbt.dateadd('day', 'measures.limit_days', 'starts.start_date') }} as date
        ) as limit_date,
        case
            when starts.outcome_role in ('administrative', 'emergency_care')
                then starts.outcome_role
            when not coalesce(channels.is_specific, false) then 'channel_other_or_unknown'
            when starts.contact_mode_code in ('R60', 'R71') then 'professional_consultation'
        end as exclusion_reason
    from starts
    inner join measures
        on starts.service_form_code = measures.service_form_code
    left join channels
        on starts.contact_channel = channels.contact_channel
    where starts.has_contact

),

-- What the need's own records show: care on the start date, and bookings for later days, whatever
-- became of them.
own as (

    select
        contacted.care_need_id,
        max(
            case when records.booked_for_date > contacted.start_date then 1 else 0 end
        ) as is_booked_onward,
        max(
            case
                when
                    records.is_realised
                    and records.visitor_group_code = '1'
                    and records.visit_date = contacted.start_date
                    and coalesce(records.service_form_code, records.record_service_form_code)
                    = contacted.service_form_code
                    and coalesce(records.contact_mode_code, '') not in ('R60', 'R71')
                    then 1
                else 0
            end
        ) as has_care_same_date,
        max(
            case
                when
                    records.record_service_form_code = contacted.service_form_code
                    and records.contact_date > contacted.start_date
                    and records.contact_date <= contacted.limit_date
                    and (
                        records.client_pseudonym is null
                        or contacted.client_pseudonym is null
                        or records.client_pseudonym = contacted.client_pseudonym
                    )
                    then 1
                else 0
            end
        ) as is_contacted_again
    from contacted
    inner join records
        on contacted.care_need_id = records.care_need_id
    group by contacted.care_need_id

),

contacts as (

    select distinct
        records.client_pseudonym,
        records.record_service_form_code,
        records.contact_date
    from {{ ref('fct_care_events') }} as records
    inner join measures
        on records.record_service_form_code = measures.service_form_code
    where
        records.contact_date is not null
        {%- if recomputes_all() %}
        and records.client_pseudonym is not null
        {%- else %}
        and records.client_pseudonym in (select contacted.client_pseudonym from contacted)
        {%- endif %}

),

-- The same client again, for this need or another.
again as (

    select distinct contacted.care_need_id
    from contacted
    inner join contacts
        on
        contacted.client_pseudonym = contacts.client_pseudonym
        and contacted.service_form_code = contacts.record_service_form_code
        and contacted.start_date < contacts.contact_date
        and contacted.limit_date >= contacts.contact_date

),

final as (

    select
        contacted.care_need_id,
        contacted.limit_date,
        contacted.exclusion_reason,
        case
            when contacted.exclusion_reason is not null then 'excluded'
            when {{ as_of_date() }} <= contacted.limit_date then 'pending'
            when
                (contacted.outcome_role = 'resolved' or own.has_care_same_date = 1)
                and own.is_booked_onward = 0
                and own.is_contacted_again = 0
                and again.care_need_id is null
                then 'met'
            else 'missed'
        end as state
    from contacted
    inner join own
        on contacted.care_need_id = own.care_need_id
    left join again
        on contacted.care_need_id = again.care_need_id

)

select * from final
