with

monthly as (

    select * from {{ ref('int_access__monthly_exclusions') }}

),

periods as (

    select * from {{ ref('int_access__periods') }}

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

final as (

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

)

select * from final
