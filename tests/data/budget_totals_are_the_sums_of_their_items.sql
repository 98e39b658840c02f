-- A total is the sum of its items in every column that adds up, flow by flow, and stands wherever
-- one of its items does. A margin is not: an item's may be unknown where the total's is not.
with

shown as (

    select * from {{ ref('mart_budget_outturn') }}
    where flow in ('expenditure', 'income')

),

{% set amounts = [
    'original_amount', 'amendment_amount', 'carry_over_amount', 'year_end_right_amount',
    'forecast_amount', 'outturn_amount',
] %}

items as (

    select
        fiscal_year,
        parent_code as budget_item_code,
        flow,
        {%- for amount in amounts %}
        sum({{ amount }}) as {{ amount }},
        {%- endfor %}
        count(*) as item_count
    from shown
    where parent_code is not null
    group by fiscal_year, parent_code, flow

),

totals as (

    select *
    from shown
    where parent_code is null

),

final as (

    select
        items.fiscal_year,
        items.budget_item_code,
        items.flow,
        items.original_amount,
        totals.original_amount as total_original_amount,
        items.outturn_amount,
        totals.outturn_amount as total_outturn_amount
    from items
    left join totals
        on items.fiscal_year = totals.fiscal_year
        and items.budget_item_code = totals.budget_item_code
        and items.flow = totals.flow
    where
        totals.budget_item_code is null
        {%- for amount in amounts %}
        or coalesce(items.{{ amount }}, 0) <> coalesce(totals.{{ amount }}, 0)
        or (items.{{ amount }} is null) <> (totals.{{ amount }} is null)
        {%- endfor %}

)

select * from final
