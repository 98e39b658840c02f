with

needs as (

    select * from {{ ref('fct_waiting_times') }}

),

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
        statutory_state
        {%- else -%}
        cast(null as date) as first_care_date,
        cast(null as integer) as wait_days,
        cast(null as {{ dbt.type_string() }}) as statutory_state
        {%- endif %}
    from needs
    where {{ measure }}_state is not null
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
)

select * from final
