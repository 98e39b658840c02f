-- depends_on: {{ ref('int_access__changed_needs') }}
with

records as (

    {{ records_to_judge() }}

),

starts as (

    select * from {{ ref('int_access__need_starts') }}

),

waits as (

    select * from {{ ref('int_access__waits') }}

),

first_contacts as (

    select * from {{ ref('int_access__first_contacts') }}

),

needs as (

    select
        care_need_id,
        min(event_date) as first_event_date,
        count(*) as record_count
    from records
    group by care_need_id

),

final as (

    select
        needs.care_need_id,
        starts.client_pseudonym,
        starts.client_age,
        starts.unit_id,
        starts.area_code,
        starts.producer_type,
        starts.service_form_code,
        starts.urgency_class,
        starts.start_at,
        starts.start_date,
        waits.first_care_at,
        waits.first_care_date,
        cast({{ dbt.datediff('starts.start_date', 'waits.first_care_date', 'day') }} as integer)
            as wait_days,
        first_contacts.state as first_contact_resolution_state,
        first_contacts.exclusion_reason as first_contact_resolution_exclusion_reason,
        {%- for measure in wait_measures() %}
        case when waits.measure_code = '{{ measure }}' then waits.state end
            as {{ measure }}_state,
        case
            when waits.measure_code = '{{ measure }}' and waits.state = 'excluded'
                then waits.rule_6_reason
        end as {{ measure }}_exclusion_reason,
        {%- endfor %}
        waits.legal_limit_date,
        waits.statutory_state,
        needs.first_event_date,
        needs.record_count,
        starts.delivery_id
    from needs
    left join starts
        on needs.care_need_id = starts.care_need_id
    left join waits
        on needs.care_need_id = waits.care_need_id
    left join first_contacts
        on needs.care_need_id = first_contacts.care_need_id

)

select * from final
