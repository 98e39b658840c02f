with

cases as (

    select * from {{ ref('int_access__case_counts') }}

),

final as (

    select
        measure_code,
        start_month_date as month_start_date,
        unit_id,
        area_code,
        producer_type,
        wait_days,
        sum(need_count) as need_count
    from cases
    where wait_days is not null
    group by 1, 2, 3, 4, 5, 6

)

select * from final
