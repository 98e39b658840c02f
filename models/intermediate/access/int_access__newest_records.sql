{#-
    Everything that a record says, in the order of the lake: the last tie between versions. Which
    delivery brought it is not part of it, so that any order of arrival ends in the same content.
-#}
{%- set content = [
    'record_updated_date',
    'is_deleted',
    'care_need_id',
    'client_pseudonym',
    'client_age',
    'home_municipality_code',
    'provider_id',
    'unit_id',
    'producer_type',
    'contact_at',
    'contact_date',
    'contact_channel',
    'contact_service_form_code',
    'assessed_at',
    'assessed_date',
    'assessor_licence_code',
    'assessed_urgency_code',
    'assessed_nature_code',
    'assessment_outcome_code',
    'booked_at',
    'booked_date',
    'booked_for_at',
    'booked_for_date',
    'booked_service_form_code',
    'started_at',
    'visit_date',
    'ended_at',
    'service_form_code',
    'contact_mode_code',
    'channel',
    'urgency_code',
    'nature_code',
    'is_first_visit',
    'visitor_group_code',
    'specialty_code',
    'licence_code',
    'profession_code',
    'cancelled_at',
    'cancelled_date',
    'cancel_reason_code',
] -%}

{#- A CTE that is read three times stays in memory: versions of all records are no CTE. -#}
{%- set versions = ref('stg_care_events__records') if recomputes_all() else 'changed_versions' -%}

-- depends_on: {{ ref('int_access__changed_records') }}
-- depends_on: {{ ref('stg_ledger__deliveries') }}
with
{% if not recomputes_all() %}
new_deliveries as (

    select delivery_id
    from {{ ref('stg_ledger__deliveries') }}
    where is_new

),

changed_records as (

    select * from {{ ref('int_access__changed_records') }}

),

-- What arrived of the changed records, and of what was there only versions that are needed.
changed_versions as (  -- noqa: ST03

    select records.*
    from {{ ref('stg_care_events__records') }} as records
    where
        records.delivery_id in (select new_deliveries.delivery_id from new_deliveries)
        and records.record_id in (select changed_records.record_id from changed_records)

    union all

    select records.*
    from {{ ref('stg_care_events__records') }} as records
    inner join changed_records
        on
        records.record_id = changed_records.record_id
        and records.record_updated_at = changed_records.record_updated_at
    where
        changed_records.is_read_again
        and records.delivery_id not in (select new_deliveries.delivery_id from new_deliveries)

),
{% endif %}
-- Most records have one version: only the others are ranked, which sorts them whole.
restated as (

    select record_id
    from {{ versions }}
    group by record_id
    having count(*) > 1

),

ranked as (

    select
        records.*,
        row_number() over (
            partition by records.record_id
            order by
                records.record_updated_at desc nulls last,
                records.delivery_date desc,
                {%- for column in content %}
                records.{{ column }} desc nulls last,
                {%- endfor %}
                records.delivery_id desc
        ) as version_rank
    from {{ versions }} as records
    inner join restated
        on records.record_id = restated.record_id

),

newest as (

    select records.*
    from {{ versions }} as records
    left join restated
        on records.record_id = restated.record_id
    where restated.record_id is null

    union all

    select
        record_id,
        record_updated_at,
        record_updated_date,
        is_deleted,
        care_need_id,
        client_pseudonym,
        client_age,
        home_municipality_code,
        provider_id,
        unit_id,
        producer_type,
        contact_at,
        contact_date,
        contact_channel,
        contact_service_form_code,
        assessed_at,
        assessed_date,
        assessor_licence_code,
        assessed_urgency_code,
        assessed_nature_code,
        assessment_outcome_code,
        booked_at,
        booked_date,
        booked_for_at,
        booked_for_date,
        booked_service_form_code,
        started_at,
        visit_date,
        ended_at,
        service_form_code,
        contact_mode_code,
        channel,
        urgency_code,
        nature_code,
        is_first_visit,
        visitor_group_code,
        specialty_code,
        licence_code,
        profession_code,
        cancelled_at,
        cancelled_date,
        cancel_reason_code,
        delivery_id,
        delivery_date
    from ranked
    where version_rank = 1

),

-- Only after its newest version has won does a deleted record drop out (KPI rule 7).
final as (

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
        contact_at,
        contact_date,
        contact_channel,
        contact_service_form_code,
        assessed_at,
        assessed_date,
        assessor_licence_code,
        assessed_urgency_code,
        assessed_nature_code,
        assessment_outcome_code,
        booked_at,
        booked_date,
        booked_for_at,
        booked_for_date,
        booked_service_form_code,
        started_at,
        visit_date,
        ended_at,
        service_form_code,
        contact_mode_code,
        channel,
        urgency_code,
        nature_code,
        is_first_visit,
        visitor_group_code,
        specialty_code,
        licence_code,
        profession_code,
        cancelled_at,
        cancelled_date,
        cancel_reason_code,
        delivery_id
    from newest
    where not is_deleted

)

select * from final
