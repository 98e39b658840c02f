-- Annual report 2021, table 4: total shortfall of staff in December 2021, per cent, row for row as
-- printed.
with

vacancies as (

    select * from {{ ref('fct_vacancies') }}
    where count_date = cast('2021-12-31' as date)

),

staff_groups as (

    select * from {{ ref('dim_staff_group') }}

),

-- The names as this table prints them, where they are not the warehouse's own.
printed_names as (

    select
        code as staff_group_code,
        min(alias_name_fi) as printed_name
    from {{ ref('dim_code_alias') }}
    where
        code_table = 'staff_groups'
        and source_document_id = 'annual_report_2021'
        and source_table in ('4')
        and code <> 'ALL'
    group by code

),

per_cent as (

    select
        vacancies.service_entity_code,
        coalesce(printed_names.printed_name, staff_groups.staff_group_name_fi)
            as printed_name,
        staff_groups.sort_order,
        cast(round(vacancies.shortfall_share * 100) as bigint) as shortfall
    from vacancies
    inner join staff_groups
        on vacancies.staff_group_code = staff_groups.staff_group_code
    left join printed_names
        on vacancies.staff_group_code = printed_names.staff_group_code

),

final as (

    select
        printed_name as "Henkilöstöryhmä",
        max(case when service_entity_code = 'family_and_social' then shortfall end)
            as "Perhe- ja sosiaalipalvelut %",
        max(case when service_entity_code = 'health_and_substance_abuse' then shortfall end)
            as "Terveys- ja päihdepalvelut %",
        max(case when service_entity_code = 'hospital_rehabilitation_care' then shortfall end)
            as "Sairaala-, kuntoutus- ja hoivapalvelut %"
    from per_cent
    group by printed_name, sort_order
    order by sort_order

)

select * from final
