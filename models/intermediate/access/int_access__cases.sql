{#- A night counts on: needs that it computes, as they are now, less what they were. -#}
{%- set columns = [
    'care_need_id', 'unit_id', 'area_code', 'producer_type', 'start_date', 'first_care_date',
    'wait_days', 'statutory_state',
] + state_columns() -%}
{%- set needs = ref('fct_waiting_times') if recomputes_all() else 'needs' -%}
{%- set need_count = 1 if recomputes_all() else 'need_count' %}

-- depends_on: {{ ref('int_access__changed_needs') }}
with
{% if not recomputes_all() %}
changed_needs as (

    select * from {{ ref('int_access__changed_needs') }}

),

needs as (  -- noqa: ST03

    select
        {{ columns | join(',\n        ') }},
        1 as need_count
    from {{ ref('fct_waiting_times') }}
    where care_need_id in (select changed_needs.care_need_id from changed_needs)

    union all

    select
        {{ columns | join(',\n        ') }},
        -1 as need_count
    from changed_needs
    where was_known

),
{% endif %}
final as (

    {% for measure in access_measures() -%}
    select
        '{{ measure }}' as measure_code,
        care_need_id,
        unit_id,
        area_code,
        producer_type,
        start_date,
        {{ measure }}_state as state,
        {{ measure }}_exclusion_reason as exclusion_reason,
        {% if measure in wait_measures() -%}
        first_care_date,
        wait_days,
        statutory_state,
        {%- else -%}
        cast(null as date) as first_care_date,
        cast(null as integer) as wait_days,
        cast(null as {{ dbt.type_string() }}) as statutory_state,
        {%- endif %}
        {{ need_count }} as need_count
    from {{ needs }}
    where {{ measure }}_state is not null
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
)

select * from final
