-- Margin = income - expenditure, signed, column by column, wherever an item has both flows, and
-- nowhere else. A budget or an outturn that one side does not know is not known of the margin; a
-- right or carry-over of one side moves the margin by that side alone.
with

shown as (

    select * from {{ ref('mart_budget_outturn') }}

),

{% set known_on_both = ['original_amount', 'forecast_amount', 'outturn_amount'] %}
{% set of_either_side = ['amendment_amount', 'carry_over_amount', 'year_end_right_amount'] %}

expected as (

    select
        fiscal_year,
        budget_item_code,
        {%- for amount in known_on_both %}
        case
            when count({{ amount }}) = 2
                then sum(case flow when 'income' then {{ amount }} else -{{ amount }} end)
        end as {{ amount }},
        {%- endfor %}
        {%- for amount in of_either_side %}
        sum(case flow when 'income' then {{ amount }} else -{{ amount }} end) as {{ amount }},
        {%- endfor %}
        count(*) as flow_count
    from shown
    where flow in ('income', 'expenditure')
    group by fiscal_year, budget_item_code

),

margins as (

    select * from shown
    where flow = 'margin'

),

compared as (

    select
        expected.fiscal_year,
        expected.budget_item_code,
        expected.original_amount as expected_original_amount,
        margins.original_amount,
        expected.outturn_amount as expected_outturn_amount,
        margins.outturn_amount
    from expected
    inner join margins
        on expected.fiscal_year = margins.fiscal_year
        and expected.budget_item_code = margins.budget_item_code
    where
        expected.flow_count <> 2
        {%- for amount in known_on_both + of_either_side %}
        or coalesce(expected.{{ amount }}, 0) <> coalesce(margins.{{ amount }}, 0)
        or (expected.{{ amount }} is null) <> (margins.{{ amount }} is null)
        {%- endfor %}

),

-- An item with both flows and without a margin, and a margin of no item.
unmatched as (

    select
        coalesce(expected.fiscal_year, margins.fiscal_year) as fiscal_year,
        coalesce(expected.budget_item_code, margins.budget_item_code) as budget_item_code,
        expected.original_amount as expected_original_amount,
        margins.original_amount,
        expected.outturn_amount as expected_outturn_amount,
        margins.outturn_amount
    from expected
    full outer join margins
        on expected.fiscal_year = margins.fiscal_year
        and expected.budget_item_code = margins.budget_item_code
    where
        expected.budget_item_code is null
        or (expected.flow_count = 2 and margins.budget_item_code is null)

),

final as (

    select * from compared

    union all

    select * from unmatched

)

select * from final
