{%- set counts = [
    'met', 'missed', 'pending', 'excluded', 'statutory_met', 'statutory_judged',
    'realised_within', 'realised',
] -%}

with

monthly as (

    select * from {{ ref('int_access__monthly_counts') }}

),

periods as (

    select * from {{ ref('int_access__periods') }}

),

measures as (

    select * from {{ ref('dim_access_measure') }}

),

months as (

    select distinct month_start_date
    from periods

),

first_months as (

    select min(month_start_date) as first_month_start_date
    from months

),

scoped as (

    {% for scope_type, scope_id in access_scopes().items() -%}
    select
        measure_code,
        month_start_date,
        '{{ scope_type }}' as scope_type,
        {{ scope_id }} as scope_id,
    {%- for name in counts %}
    {{ name }}_count{{ '' if loop.last else ',' }}
    {%- endfor %}
    from monthly
    {% if not loop.last %}
    union all

    {% endif %}
    {%- endfor %}
    -- The city has a row for every period, also for one without a need.
    union all

    select
        measures.measure_code,
        months.month_start_date,
        'city' as scope_type,
        'ALL' as scope_id,
    {%- for name in counts %}
    0 as {{ name }}_count{{ '' if loop.last else ',' }}
    {%- endfor %}
    from measures
    cross join months

),

counted as (

    select
        scoped.measure_code,
        periods.period_grain,
        periods.period_start,
        periods.period_end,
        scoped.scope_type,
        scoped.scope_id,
    {%- for name in counts %}
    cast(sum(scoped.{{ name }}_count) as bigint) as {{ name }}_count{{ '' if loop.last else ',' }}
    {%- endfor %}
    from scoped
    inner join periods
        on scoped.month_start_date = periods.month_start_date
    group by 1, 2, 3, 4, 5, 6

),

shares as (

    select
        counted.*,
        counted.met_count + counted.missed_count as judged_count,
        {{ share_of('counted.met_count', '(counted.met_count + counted.missed_count)') }} as rate,
        {{ wilson_bound('-', 'counted.met_count', '(counted.met_count + counted.missed_count)') }}
            as rate_low,
        {{ wilson_bound('+', 'counted.met_count', '(counted.met_count + counted.missed_count)') }}
            as rate_high,
        {{ share_of('counted.realised_within_count', 'counted.realised_count') }}
            as realised_rate,
        {{ share_of('counted.statutory_met_count', 'counted.statutory_judged_count') }}
            as statutory_rate
    from counted

),

final as (

    select
        shares.measure_code,
        measures.measure_name_fi,
        measures.measure_name_sv,
        measures.measure_name_en,
        shares.period_grain,
        shares.period_start,
        shares.period_end,
        shares.scope_type,
        shares.scope_id,
        shares.met_count,
        shares.missed_count,
        shares.pending_count,
        shares.excluded_count,
        shares.rate,
        shares.rate_low,
        shares.rate_high,
        shares.realised_within_count,
        shares.realised_count,
        shares.realised_rate,
        shares.statutory_met_count,
        shares.statutory_judged_count,
        shares.statutory_rate,
        measures.target_rate,
        shares.rate - measures.target_rate as gap_share,
        case
            when shares.rate is null then 'no_data'
            when shares.rate >= measures.target_rate then 'met'
            else 'not_met'
        end as status,
        shares.pending_count > 0 as is_preliminary,
        shares.period_start < first_months.first_month_start_date
        or shares.period_end >= {{ as_of_date() }} as is_partial,
        {{ as_of_date() }} as as_of_date
    from shares
    inner join measures
        on shares.measure_code = measures.measure_code
    cross join first_months

)

select * from final
