{#- A need as the build before had it: where its row stood, and where it was counted. -#}
{%- set texts = ['unit_id', 'area_code', 'producer_type', 'statutory_state'] + state_columns() -%}
{%- set dates = ['first_event_date', 'start_date', 'first_care_date'] -%}

with

records as (

    select * from {{ ref('fct_care_events') }}

),

changed_records as (

    select * from {{ ref('int_access__changed_records') }}

),

measures as (

    select * from {{ ref('access_measures') }}
    where measure_code = 'first_contact_resolution'

),
{% if recomputes_all() %}
-- Every need is computed: none is listed.
final as (

    select
        records.care_need_id,
        true as was_known,
        {{ typed_nulls(texts, dates) }},
        cast(null as integer) as wait_days
    from records
    inner join changed_records
        on records.record_id = changed_records.record_id
    cross join measures
    where false

)
{% else %}
{#- Each block reads the table itself: an import that they share would be written out whole. #}
{%- set before = built_before('fct_waiting_times') %}
-- Both versions of a changed record count: the need and the client may be others now.
versions as (

    select
        care_need_id,
        client_pseudonym,
        contact_date
    from changed_records
    where care_need_id is not null

    union

    select
        records.care_need_id,
        records.client_pseudonym,
        records.contact_date
    from records
    inner join changed_records
        on records.record_id = changed_records.record_id

),

-- The rule of repeated contacts: a contact is judged by those of the days after it.
contacts as (

    select distinct
        versions.client_pseudonym,
        versions.contact_date,
        cast(
            {{ dbt.dateadd('day', '-1 * measures.limit_days', 'versions.contact_date') }} as date
        ) as first_date
    from versions
    cross join measures
    where
        versions.client_pseudonym is not null
        and versions.contact_date is not null

),

changed as (

    select care_need_id
    from versions

    union

    select before.care_need_id
    from {{ before }} as before
    inner join contacts
        on
        before.client_pseudonym = contacts.client_pseudonym
        and before.start_date >= contacts.first_date
        and before.start_date < contacts.contact_date

    union

    -- A legal limit that has not run out leaves its need as it was.
    select care_need_id
    from {{ before }}
    where
        (statutory_state = 'pending' and legal_limit_date < {{ as_of_date() }})
        {%- for measure in access_measures() %}
        or {{ measure }}_state = 'pending'
        {%- endfor %}

),

final as (

    select
        changed.care_need_id,
        before.care_need_id is not null as was_known,
        {%- for column in texts + dates %}
        before.{{ column }},
        {%- endfor %}
        before.wait_days
    from changed
    left join {{ before }} as before
        on changed.care_need_id = before.care_need_id

)
{% endif %}
select * from final
