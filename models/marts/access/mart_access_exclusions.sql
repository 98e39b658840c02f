with

monthly as (

    select * from {{ ref('int_access__monthly_exclusions') }}

),

periods as (

    select * from {{ ref('int_access__periods') }}

),

measures as (

    select * from {{ ref('dim_access_measure') }}

),

reasons as (

    select * from {{ ref('exclusion_reasons') }}

),

scoped as (

    {% for scope_type, scope_id in access_scopes().items() -%}
    select
        measure_code,
        month_start_date,
        '{{ scope_type }}' as scope_type,
        {{ scope_id }} as scope_id,
        reason,
        excluded_count
    from monthly
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}

),

counted as (

    select
        scoped.measure_code,
        periods.period_grain,
        periods.period_start,
        periods.period_end,
        scoped.scope_type,
        scoped.scope_id,
        scoped.reason,
        cast(sum(scoped.excluded_count) as bigint) as excluded_count
    from scoped
    inner join periods
        on scoped.month_start_date = periods.month_start_date
    group by 1, 2, 3, 4, 5, 6, 7

),

final as (

    select
        counted.measure_code,
        measures.measure_name_fi,
        measures.measure_name_sv,
        measures.measure_name_en,
        counted.period_grain,
        counted.period_start,
        counted.period_end,
        counted.scope_type,
        counted.scope_id,
        counted.reason,
        reasons.reason_name_fi,
        reasons.reason_name_sv,
        reasons.reason_name_en,
        counted.excluded_count
    from counted
    inner join measures
        on counted.measure_code = measures.measure_code
    left join reasons
        on counted.reason = reasons.reason

)

select * from final
