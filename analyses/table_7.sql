-- Annual report 2021, table 7: outputs 2017-2021, row for row as printed.
with

figures as (

    select * from {{ ref('mart_output_statistics') }}
    where year between 2017 and 2021

),

measures as (

    select * from {{ ref('dim_output_measure') }}

),

printed as (

    select
        measure_code,
        year,
        case
            when value is not null then {{ printed_number('value') }}
            else coalesce(value_reference, '-')
        end as printed_value
    from figures

),

final as (

    select
        measures.section_name_fi as osio,
        measures.subsection_name_fi as alaosio,
        measures.printed_name_fi as suorite,
        {%- for year in range(2017, 2022) %}
        max(case when printed.year = {{ year }} then printed.printed_value end) as "{{ year }}"
        {%- if not loop.last %},{% endif %}
        {%- endfor %}
    from measures
    inner join printed
        on measures.measure_code = printed.measure_code
    group by
        measures.sort_order,
        measures.section_name_fi,
        measures.subsection_name_fi,
        measures.printed_name_fi
    order by measures.sort_order

)

select * from final
