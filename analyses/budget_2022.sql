-- Action plan 2022, table 1: income and expenditure of the 2022 budget and their change from the
-- original budget of 2021, million euros, row for row as printed.
with

amounts as (

    select * from {{ ref('fct_budget_outturn') }}
    where
        fiscal_year = 2022
        and period_grain = 'year'
        and account_group is null
        and unit_id is null

),

budget_items as (

    select * from {{ ref('dim_budget_item') }}

),

printed_names as (

    select
        code as budget_item_code,
        alias_name_fi
    from {{ ref('dim_code_alias') }}
    where
        code_table = 'budget_items'
        and source_document_id = 'action_plan_2022'
        and source_table = '1'

),

changes as (

    select
        budget_item_code,
        flow,
        case when amount > 0 then '+' else '' end || {{ printed_millions('amount') }} as change
    from amounts
    where stage = 'printed_change'

),

final as (

    select
        case amounts.flow when 'income' then 'Tulot' else 'Menot' end as osa,
        coalesce(printed_names.alias_name_fi, budget_items.budget_item_name_fi) as talousarviokohta,
        {{ printed_millions('amounts.amount') }} as "TA 2022 (milj. euroa)",
        changes.change as "Muutos TA 2021 (milj. euroa)"
    from amounts
    inner join budget_items
        on amounts.budget_item_code = budget_items.budget_item_code
    left join printed_names
        on amounts.budget_item_code = printed_names.budget_item_code
    left join changes
        on amounts.budget_item_code = changes.budget_item_code
        and amounts.flow = changes.flow
    where amounts.stage = 'original'
    order by
        case amounts.flow when 'income' then 1 else 2 end,
        budget_items.sort_order

)

select * from final
