{#- A record as the build before had it: where it belonged, and where it was counted. -#}
{%- set texts = [
    'care_need_id', 'client_pseudonym', 'producer_type', 'service_form_code', 'contact_mode_code',
    'channel', 'profession_group', 'specialty_code',
] -%}
{%- set dates = ['event_date', 'contact_date', 'visit_date'] -%}
{#- What the tables hold now; when everything is computed, nothing, and no record is listed. -#}
{%- set facts = 'nothing' if recomputes_all() else built_before('fct_care_events') -%}
{%- set hidden_records = 'nothing' if recomputes_all()
    else built_before('int_access__hidden_records', 'intermediate') -%}
{%- set records_ahead = 'nothing' if recomputes_all()
    else built_before('int_access__records_ahead', 'intermediate') -%}

with

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

nothing as (

    select
        record_id,
        record_updated_at,
        {{ typed_nulls(texts, dates) }},
        cast(null as boolean) as is_realised,
        cast(null as date) as block_date,
        delivery_id,
        delivery_date
    from {{ ref('stg_care_events__records') }}
    where false

),

-- The newest version that arrived of each record.
arrived as (

    select
        versions.record_id,
        versions.record_updated_at,
        versions.delivery_date
    from (
        select
            records.record_id,
            records.record_updated_at,
            records.delivery_date,
            row_number() over (
                partition by records.record_id
                order by records.record_updated_at desc, records.delivery_date desc
            ) as version_rank
        from {{ ref('stg_care_events__records') }} as records
        where
            records.delivery_id in (
                select deliveries.delivery_id
                from deliveries
                where deliveries.is_new
            )
            {%- if recomputes_all() %}
            and false
            {%- endif %}
    ) as versions
    where versions.version_rank = 1

),

-- Versions of which a block is known now.
due as (

    select distinct
        record_id,
        record_updated_at
    from {{ records_ahead }}
    where block_date < {{ as_of_date() }}

),

looked_at as (

    select record_id from arrived

    union

    select record_id from due

),

-- The version in force, whether the facts show it or not.
known as (

    select
        facts.record_id,
        facts.record_updated_at,
        deliveries.delivery_date,
        {%- for column in texts + dates %}
        facts.{{ column }},
        {%- endfor %}
        facts.is_realised
    from {{ facts }} as facts
    left join deliveries
        on facts.delivery_id = deliveries.delivery_id
    where facts.record_id in (select looked_at.record_id from looked_at)

    union all

    select
        record_id,
        record_updated_at,
        delivery_date,
        {%- for column in texts + dates %}
        null as {{ column }},
        {%- endfor %}
        null as is_realised
    from {{ hidden_records }}
    where record_id in (select looked_at.record_id from looked_at)

),

compared as (

    select
        looked_at.record_id,
        arrived.record_updated_at as arrived_updated_at,
        arrived.delivery_date as arrived_delivery_date,
        known.record_updated_at,
        known.delivery_date,
        {%- for column in texts + dates %}
        known.{{ column }},
        {%- endfor %}
        known.is_realised,
        due.record_id is not null as is_due,
        coalesce(
            arrived.record_updated_at > known.record_updated_at
            or (
                arrived.record_updated_at = known.record_updated_at
                and arrived.delivery_date > known.delivery_date
            ),
            known.record_id is null
        ) as is_newer,
        coalesce(
            arrived.record_updated_at = known.record_updated_at
            and arrived.delivery_date = known.delivery_date,
            false
        ) as is_tied
    from looked_at
    left join arrived
        on looked_at.record_id = arrived.record_id
    left join known
        on looked_at.record_id = known.record_id
    left join due
        on
        looked_at.record_id = due.record_id
        and known.record_updated_at = due.record_updated_at

),

final as (

    select
        record_id,
        case when is_newer then arrived_updated_at else record_updated_at end
            as record_updated_at,
        case when is_newer then arrived_delivery_date else delivery_date end as delivery_date,
        not is_newer as is_read_again,
        {%- for column in texts + dates %}
        {{ column }},
        {%- endfor %}
        is_realised
    from compared
    where is_newer or is_tied or is_due

)

select * from final
