-- "Of which" rows: a part is never more than the total that it is printed under.
with

parts as (

    select * from {{ ref('mart_output_statistics') }}

),

measures as (

    select * from {{ ref('output_measures') }}

),

final as (

    select
        parts.measure_code,
        parts.year,
        parts.value,
        totals.measure_code as total_measure_code,
        totals.value as total_value
    from parts
    inner join measures
        on parts.measure_code = measures.measure_code
    inner join parts as totals
        on measures.parent_measure_code = totals.measure_code
        and parts.year = totals.year
    where parts.value > totals.value

)

select * from final
