with

figures as (

    select * from {{ ref('fct_output_statistics') }}

),

measures as (

    select * from {{ ref('dim_output_measure') }}

),

-- The yearly mart speaks of the whole measure: all units, and the producer the measure itself
-- names. Figures of single units and other cuts stay in the fact.
whole_measures as (

    select
        figures.*,
        measures.is_additive
    from figures
    inner join measures
        on figures.measure_code = measures.measure_code
        and figures.producer_type = measures.producer_type
    where figures.unit_id is null

),

reported_years as (

    select
        measure_code,
        cast(extract(year from period_start_date) as integer) as year,
        value,
        value_status,
        value_reference,
        value_note,
        'reported' as value_basis,
        delivery_id,
        source_document_id,
        source_table,
        source_section,
        source_file,
        source_line
    from whole_measures
    where period_grain = 'year'

),

-- Months stand for a year only where months may be added up: visits and days, never clients.
months as (

    select
        *,
        cast(extract(year from period_start_date) as integer) as year,
        row_number() over (
            partition by measure_code, extract(year from period_start_date)
            order by period_start_date desc
        ) as recency
    from whole_measures
    where
        period_grain = 'month'
        and is_additive

),

summed_years as (

    select
        measure_code,
        year,
        cast(sum(value) as bigint) as value,
        -- 12 months, each final, make a final year; anything less is partial until it is complete.
        case
            when count(value) = 0 then 'not_available'
            when count(value) < 12 then 'partial'
            when sum(case when value_status = 'partial' then 1 else 0 end) > 0 then 'partial'
            when sum(case when value_status = 'estimated' then 1 else 0 end) > 0 then 'estimated'
            else 'final'
        end as value_status,
        cast(null as {{ dbt.type_string() }}) as value_reference,
        cast(null as {{ dbt.type_string() }}) as value_note,
        'summed_months' as value_basis,
        -- The newest month's provenance; the others' stand in the fact.
        max(case when recency = 1 then delivery_id end) as delivery_id,
        max(case when recency = 1 then source_document_id end) as source_document_id,
        max(case when recency = 1 then source_table end) as source_table,
        max(case when recency = 1 then source_section end) as source_section,
        max(case when recency = 1 then source_file end) as source_file,
        max(case when recency = 1 then source_line end) as source_line
    from months
    group by measure_code, year

),

final as (

    select * from reported_years

    union all

    select summed_years.*
    from summed_years
    left join reported_years
        on summed_years.measure_code = reported_years.measure_code
        and summed_years.year = reported_years.year
    where reported_years.measure_code is null

)

select * from final
