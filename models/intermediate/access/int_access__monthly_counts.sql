with

cases as (

    select * from {{ ref('int_access__case_counts') }}

),

measures as (

    select * from {{ ref('access_measures') }}

),

-- The official basis: by the month of the start.
cohort as (

    select
        measure_code,
        start_month_date as month_start_date,
        unit_id,
        area_code,
        producer_type,
        sum(case when state = 'met' then need_count else 0 end) as met_count,
        sum(case when state = 'missed' then need_count else 0 end) as missed_count,
        sum(case when state = 'pending' then need_count else 0 end) as pending_count,
        sum(case when state = 'excluded' then need_count else 0 end) as excluded_count,
        sum(case when statutory_state = 'met' then need_count else 0 end) as statutory_met_count,
        sum(case when statutory_state in ('met', 'missed') then need_count else 0 end)
            as statutory_judged_count,
        0 as realised_within_count,
        0 as realised_count
    from cases
    group by 1, 2, 3, 4, 5

),

-- The national statistic's basis: realised needs, by the month of the realised event.
realised as (

    select
        cases.measure_code,
        cases.first_care_month_date as month_start_date,
        cases.unit_id,
        cases.area_code,
        cases.producer_type,
        0 as met_count,
        0 as missed_count,
        0 as pending_count,
        0 as excluded_count,
        0 as statutory_met_count,
        0 as statutory_judged_count,
        sum(case when cases.wait_days <= measures.limit_days then cases.need_count else 0 end)
            as realised_within_count,
        sum(cases.need_count) as realised_count
    from cases
    inner join measures
        on cases.measure_code = measures.measure_code
    where cases.first_care_month_date is not null
    group by 1, 2, 3, 4, 5

),

both_bases as (

    select * from cohort

    union all

    select * from realised

),

final as (

    select
        measure_code,
        month_start_date,
        unit_id,
        area_code,
        producer_type,
        {%- for name in [
            'met', 'missed', 'pending', 'excluded', 'statutory_met', 'statutory_judged',
            'realised_within', 'realised',
        ] %}
    cast(sum({{ name }}_count) as bigint) as {{ name }}_count{{ '' if loop.last else ',' }}
    {%- endfor %}
    from both_bases
    group by 1, 2, 3, 4, 5

)

select * from final
