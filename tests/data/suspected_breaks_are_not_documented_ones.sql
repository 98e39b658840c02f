-- A break is suspected only where no document explains it: never in the year of a documented one,
-- and never once more for another rule.
with

series_breaks as (

    select
        *,
        extract(year from break_date) as break_year
    from {{ ref('dim_series_break') }}

),

suspected as (

    select
        measure_code,
        break_year,
        count(*) as suspected_count
    from series_breaks
    where evidence = 'suspected'
    group by measure_code, break_year

),

documented as (

    select
        measure_code,
        extract(year from break_date) as break_year
    from {{ ref('series_breaks') }}

),

final as (

    select
        suspected.measure_code,
        suspected.break_year,
        suspected.suspected_count
    from suspected
    left join documented
        on suspected.measure_code = documented.measure_code
        and suspected.break_year = documented.break_year
    where
        documented.measure_code is not null
        or suspected.suspected_count > 1

)

select * from final
