-- Annual report 2021, table 1: monthly-paid staff at the end of 2021 and 2020, row for row as
-- printed.
with

figures as (

    select * from {{ ref('mart_workforce') }}
    where
        service_entity_code = 'ALL'
        and staff_group_code = 'ALL'
        -- A quarter and a year may end on the same day: the table prints the month's end.
        and period_code in ('2021-12', '2020-12')
        and measure_code in (
            'permanent_headcount', 'fixed_term_headcount', 'total_headcount', 'subsidised_headcount'
        )

),

lines as (

    select
        measure_code,
        period_code,
        case measure_code
            when 'permanent_headcount' then 1
            when 'fixed_term_headcount' then 2
            when 'total_headcount' then 3
            else 4
        end as line,
        case measure_code
            when 'permanent_headcount' then 'Vakinaiset'
            when 'fixed_term_headcount' then 'Määräaikaiset'
            when 'total_headcount' then 'Yhteensä'
            else 'Työllistetyt'
        end as label,
        {{ printed_number('cast(value as bigint)') }} as printed_value
    from figures

),

final as (

    select
        label as "Henkilöstön lukumäärä",
        max(case when period_code = '2021-12' then printed_value end) as "31.12.2021",
        max(case when period_code = '2020-12' then printed_value end) as "31.12.2020"
    from lines
    group by line, label
    order by line

)

select * from final
