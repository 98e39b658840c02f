with

staff_groups as (

    select * from {{ ref('staff_groups') }}

),

final as (

    select
        staff_group_code,
        parent_staff_group_code,
        staff_group_name_fi,
        staff_group_name_sv,
        staff_group_name_en,
        sort_order
    from staff_groups

)

select * from final
