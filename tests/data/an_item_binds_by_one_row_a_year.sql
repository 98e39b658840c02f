-- An item that binds gross binds by its expenditure, one that binds net by its margin: one row a
-- year, as soon as that flow is known. An item without a basis binds by none.
with

shown as (

    select * from {{ ref('mart_budget_outturn') }}

),

budget_items as (

    select * from {{ ref('budget_items') }}

),

years as (

    select
        shown.fiscal_year,
        shown.budget_item_code,
        budget_items.binding_basis,
        sum(case when shown.is_binding_row then 1 else 0 end) as binding_count,
        max(case when shown.is_binding_row then shown.flow end) as binding_flow,
        max(case when shown.flow = 'expenditure' then 1 else 0 end) as has_expenditure,
        max(case when shown.flow = 'income' then 1 else 0 end) as has_income
    from shown
    left join budget_items
        on shown.budget_item_code = budget_items.budget_item_code
    group by shown.fiscal_year, shown.budget_item_code, budget_items.binding_basis

),

final as (

    select *
    from years
    where
        binding_count > 1
        or (binding_basis is null and binding_count > 0)
        or (binding_basis = 'gross' and binding_count <> has_expenditure)
        or (binding_basis = 'gross' and binding_flow <> 'expenditure')
        or (binding_basis = 'net' and binding_count <> has_expenditure * has_income)
        or (binding_basis = 'net' and binding_flow <> 'margin')

)

select * from final
