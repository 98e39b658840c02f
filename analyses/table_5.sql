-- Annual report 2021, table 5: training occasions and participants by staff group in 2021 and 2020,
-- row for row as printed.
with

training as (

    select * from {{ ref('fct_training') }}
    where
        service_entity_code = 'ALL'
        -- The years themselves: their months and quarters are other figures.
        and period_code in ('2021', '2020')

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
        and source_table in ('4', '5')
        and code <> 'ALL'
    group by code

),

final as (

    select
        case training.staff_group_code
            when 'ALL' then 'Yhteensä'
            else coalesce(printed_names.printed_name, staff_groups.staff_group_name_fi)
        end as "Henkilöstöryhmät",
        max(
            case
                when training.year = 2021 and training.measure_code = 'training_occasions'
                    then {{ printed_number('cast(training.value as bigint)') }}
            end
        ) as "Koulutuskerrat 2021",
        max(
            case
                when training.year = 2021 and training.measure_code = 'training_participants'
                    then {{ printed_number('cast(training.value as bigint)') }}
            end
        ) as "Koulutuksessa käyneiden lukumäärät 2021",
        max(
            case
                when training.year = 2020 and training.measure_code = 'training_occasions'
                    then {{ printed_number('cast(training.value as bigint)') }}
            end
        ) as "Koulutuskerrat 2020",
        max(
            case
                when training.year = 2020 and training.measure_code = 'training_participants'
                    then {{ printed_number('cast(training.value as bigint)') }}
            end
        ) as "Koulutuksessa käyneiden lukumäärät 2020"
    from training
    inner join staff_groups
        on training.staff_group_code = staff_groups.staff_group_code
    left join printed_names
        on training.staff_group_code = printed_names.staff_group_code
    group by
        training.staff_group_code, staff_groups.staff_group_name_fi, printed_names.printed_name,
        staff_groups.sort_order
    -- The total stands last in print and first in the warehouse's lists.
    order by
        case when training.staff_group_code = 'ALL' then 1 else 0 end,
        staff_groups.sort_order

)

select * from final
