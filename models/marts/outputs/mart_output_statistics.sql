with

figures as (

    select * from {{ ref('int_outputs__yearly_figures') }}

),

measures as (

    select * from {{ ref('dim_output_measure') }}

),

series_breaks as (

    select * from {{ ref('dim_series_break') }}

),

comparabilities as (

    select * from {{ ref('comparabilities') }}

),

with_previous as (

    select
        figures.*,
        previous.year as previous_year,
        previous.value as previous_value,
        previous.value_status as previous_value_status
    from figures
    left join figures as previous
        on figures.measure_code = previous.measure_code
        and figures.year = previous.year + 1

),

-- A break lies between two years when it falls after the first day of the earlier one: on 1 January
-- it parts this year from the last, in the middle of a year it also parts the next.
breaks_between as (

    select
        figures.measure_code,
        figures.year,
        series_breaks.break_kind,
        series_breaks.reason_fi,
        series_breaks.reason_sv,
        series_breaks.reason_en,
        row_number() over (
            partition by figures.measure_code, figures.year
            order by series_breaks.break_date, series_breaks.break_kind
        ) as break_rank
    from figures
    inner join series_breaks
        on figures.measure_code = series_breaks.measure_code
        and series_breaks.evidence = 'documented'
        and (
            extract(year from series_breaks.break_date) = figures.year
            or (
                extract(year from series_breaks.break_date) = figures.year - 1
                and extract(doy from series_breaks.break_date) > 1
            )
        )

),

-- A break that only the numbers show is marked apart; the change is computed all the same, and
-- whoever quotes it is warned.
suspected_breaks as (

    select
        measure_code,
        cast(extract(year from break_date) as integer) as year,
        reason_fi,
        reason_sv,
        reason_en
    from series_breaks
    where evidence = 'suspected'

),

judged as (

    select
        with_previous.*,
        breaks_between.break_kind,
        breaks_between.reason_fi,
        breaks_between.reason_sv,
        breaks_between.reason_en,
        case
            when with_previous.previous_year is null then 'no_previous_year'
            when breaks_between.break_kind is not null then 'series_break'
            when with_previous.value is null then 'value_missing'
            when with_previous.previous_value is null then 'value_missing'
            when with_previous.value_status = 'partial' then 'partial_value'
            when with_previous.previous_value_status = 'partial' then 'partial_value'
            else 'comparable'
        end as comparability
    from with_previous
    left join breaks_between
        on with_previous.measure_code = breaks_between.measure_code
        and with_previous.year = breaks_between.year
        and breaks_between.break_rank = 1

),

final as (

    select
        judged.measure_code,
        measures.sort_order as measure_sort_order,
        measures.section_code,
        measures.section_name_fi,
        measures.section_name_sv,
        measures.section_name_en,
        measures.subsection_name_fi,
        measures.subsection_name_sv,
        measures.subsection_name_en,
        measures.measure_name_fi,
        measures.measure_name_sv,
        measures.measure_name_en,
        measures.producer_type,
        measures.unit_of_measure,
        judged.year,
        judged.value,
        judged.value_status,
        judged.value_reference,
        judged.value_note,
        judged.value_basis,
        case
            when judged.comparability = 'comparable' then judged.value - judged.previous_value
        end as change_count,
        case
            when judged.comparability = 'comparable' and judged.previous_value <> 0
                then
                    cast(judged.value - judged.previous_value as double)
                    / judged.previous_value
        end as change_share,
        judged.comparability = 'comparable' as is_comparable,
        judged.comparability,
        judged.break_kind,
        coalesce(judged.reason_en, comparabilities.reason_en) as break_reason,
        coalesce(judged.reason_fi, comparabilities.reason_fi) as break_reason_fi,
        coalesce(judged.reason_sv, comparabilities.reason_sv) as break_reason_sv,
        suspected_breaks.measure_code is not null as has_suspected_break,
        suspected_breaks.reason_en as suspected_break_reason,
        suspected_breaks.reason_fi as suspected_break_reason_fi,
        suspected_breaks.reason_sv as suspected_break_reason_sv,
        judged.delivery_id,
        judged.source_document_id,
        judged.source_table,
        judged.source_section,
        judged.source_file,
        judged.source_line
    from judged
    inner join measures
        on judged.measure_code = measures.measure_code
    left join suspected_breaks
        on judged.measure_code = suspected_breaks.measure_code
        and judged.year = suspected_breaks.year
    left join comparabilities
        on judged.comparability = comparabilities.comparability

)

select * from final
