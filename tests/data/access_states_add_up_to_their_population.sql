-- Met, missed, pending and excluded are all needs of a measure's population (KPI rule 4), in each
-- grain of the city's rows: months, quarters and years cover every need once.
with

cases as (

    {% for measure in access_measures() -%}
    select
        '{{ measure }}' as measure_code,
        count({{ measure }}_state) as need_count
    from {{ ref('fct_waiting_times') }}
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}

),

counted as (

    select
        measure_code,
        period_grain,
        sum(met_count + missed_count + pending_count + excluded_count) as counted_needs
    from {{ ref('mart_access_measures') }}
    where
        scope_type = 'city'
        and period_grain <> 'rolling_12_months'
    group by measure_code, period_grain

),

final as (

    select
        counted.measure_code,
        counted.period_grain,
        counted.counted_needs,
        cases.need_count
    from counted
    left join cases
        on counted.measure_code = cases.measure_code
    where counted.counted_needs <> coalesce(cases.need_count, 0)

)

select * from final
