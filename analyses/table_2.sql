-- Annual report 2021, table 2: monthly-paid staff of the service entities on 31 December 2021, row
-- for row as printed.
with

figures as (

    select * from {{ ref('mart_workforce') }}
    where
        -- A quarter and a year may end on the same day: the table prints the month's end.
        period_code = '2021-12'
        and staff_group_code = 'ALL'

),

service_entities as (

    select * from {{ ref('dim_service_entity') }}

),

final as (

    select
        case figures.service_entity_code
            when 'ALL' then 'Sosiaali- ja terveystoimiala yhteensä'
            else figures.service_entity_name_fi
        end as palvelukokonaisuus,
        {%- for measure, label in [
            ('permanent_headcount', 'Vakinainen henkilöstö'),
            ('fixed_term_headcount', 'Määräaikainen henkilöstö'),
            ('subsidised_headcount', 'Työllistetyt'),
        ] %}
        max(
            case
                when figures.measure_code = '{{ measure }}'
                    then {{ printed_number('cast(figures.value as bigint)') }}
            end
        ) as "{{ label }}",
        {%- endfor %}
        max(
            case
                when figures.measure_code = 'share_of_division_permanent'
                    then cast(round(figures.value * 100) as bigint)
            end
        ) as "%-osuus toimialan vakinaisesta henkilöstöstä"
    from figures
    inner join service_entities
        on figures.service_entity_code = service_entities.service_entity_code
    where
        figures.measure_code in (
            'permanent_headcount', 'fixed_term_headcount', 'subsidised_headcount',
            'share_of_division_permanent'
        )
    group by
        figures.service_entity_code, figures.service_entity_name_fi, service_entities.sort_order
    -- The total stands last in print and first in the warehouse's lists.
    order by
        case when figures.service_entity_code = 'ALL' then 1 else 0 end,
        service_entities.sort_order

)

select * from final
