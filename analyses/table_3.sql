-- Annual report 2021, table 3: posts by staff group at the end of 2021 and 2020, row for row as
-- printed.
with

vacancies as (

    select * from {{ ref('mart_vacancies') }}
    where
        service_entity_code = 'ALL'
        and posts_count is not null

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
        and source_table in ('3')
        and code <> 'ALL'
    group by code

),

final as (

    select
        case vacancies.staff_group_code
            when 'ALL' then 'Yhteensä'
            else coalesce(printed_names.printed_name, vacancies.staff_group_name_fi)
        end as "Henkilöstöryhmät",
        max(
            case
                when vacancies.count_date = cast('2021-12-31' as date)
                    then {{ printed_number('vacancies.posts_count') }}
            end
        ) as "31.12.2021",
        max(
            case
                when vacancies.count_date = cast('2020-12-31' as date)
                    then {{ printed_number('vacancies.posts_count') }}
            end
        ) as "31.12.2020"
    from vacancies
    inner join staff_groups
        on vacancies.staff_group_code = staff_groups.staff_group_code
    left join printed_names
        on vacancies.staff_group_code = printed_names.staff_group_code
    where vacancies.count_date in (cast('2021-12-31' as date), cast('2020-12-31' as date))
    group by
        vacancies.staff_group_code, vacancies.staff_group_name_fi, printed_names.printed_name,
        staff_groups.sort_order
    -- The total stands last in print and first in the warehouse's lists.
    order by
        case when vacancies.staff_group_code = 'ALL' then 1 else 0 end,
        staff_groups.sort_order

)

select * from final
