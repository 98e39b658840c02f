-- Where a section prints own and purchased and their total (service housing), own + purchased is
-- the total. Judged where all three are known and complete.
with

figures as (

    select * from {{ ref('mart_output_statistics') }}

),

measures as (

    select * from {{ ref('output_measures') }}

),

parts as (

    select
        measures.parent_measure_code,
        figures.producer_type,
        figures.year,
        figures.value
    from figures
    inner join measures
        on figures.measure_code = measures.measure_code
    where
        measures.parent_measure_code is not null
        and figures.producer_type <> 'all'
        and figures.value_status <> 'partial'

),

by_producer as (

    select
        parent_measure_code,
        year,
        sum(case when producer_type = 'own' then value end) as own_value,
        sum(case when producer_type = 'purchased' then value end) as purchased_value,
        sum(case when producer_type = 'voucher' then value end) as voucher_value
    from parts
    group by parent_measure_code, year

),

final as (

    select
        figures.measure_code,
        figures.year,
        figures.value as total_value,
        by_producer.own_value,
        by_producer.purchased_value,
        by_producer.voucher_value
    from figures
    inner join by_producer
        on figures.measure_code = by_producer.parent_measure_code
        and figures.year = by_producer.year
    where
        figures.value_status <> 'partial'
        and by_producer.own_value + by_producer.purchased_value
        + coalesce(by_producer.voucher_value, 0)
        <> figures.value

)

select * from final
