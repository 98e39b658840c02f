{#- Of a night's records, those that the facts show stand among the records of its needs. -#}
{%- set shown = ref('fct_care_events') if recomputes_all()
    else ref('int_access__records_of_changed_needs') %}

-- depends_on: {{ ref('int_access__changed_records') }}
-- depends_on: {{ ref('int_access__records_of_changed_needs') }}
with

facts as (

    select * from {{ shown }}

),

versions as (
    {% if recomputes_all() %}
    select
        records.record_id,
        records.record_updated_at,
        records.delivery_date,
        row_number() over (
            partition by records.record_id
            order by records.record_updated_at desc, records.delivery_date desc
        ) as version_rank
    from {{ ref('stg_care_events__records') }} as records
    left join facts
        on records.record_id = facts.record_id
    where facts.record_id is null
    {% else %}
    select
        changed.record_id,
        changed.record_updated_at,
        changed.delivery_date,
        1 as version_rank
    from {{ ref('int_access__changed_records') }} as changed
    left join facts
        on changed.record_id = facts.record_id
    where facts.record_id is null
    {% endif %}
),

final as (

    select
        record_id,
        record_updated_at,
        delivery_date
    from versions
    where version_rank = 1

)

select * from final
