with

yearly as (

    select * from {{ ref('int_finance__budget_items_yearly') }}

),

budget_items as (

    select * from {{ ref('dim_budget_item') }}

),

flows as (

    select
        fiscal_year,
        budget_item_code,
        flow,
        original_amount,
        amendment_amount,
        carry_over_amount,
        year_end_right_amount,
        forecast_amount,
        outturn_amount,
        outturn_until_date,
        original_basis,
        outturn_basis,
        source_document_id,
        delivery_id
    from yearly

    union all

    -- Margin (toimintakate) = income - expenditure, signed. An income that no document prints is
    -- not 0: the margin is then unknown as well.
    select
        expenditure.fiscal_year,
        expenditure.budget_item_code,
        'margin' as flow,
        income.original_amount - expenditure.original_amount as original_amount,
        -- A right or carry-over on one side only moves the margin by that side.
        {%- for stage in ['amendment', 'carry_over', 'year_end_right'] %}
        case
            when
                income.{{ stage }}_amount is not null
                or expenditure.{{ stage }}_amount is not null
                then
                    coalesce(income.{{ stage }}_amount, 0)
                    - coalesce(expenditure.{{ stage }}_amount, 0)
        end as {{ stage }}_amount,
        {%- endfor %}
        income.forecast_amount - expenditure.forecast_amount as forecast_amount,
        income.outturn_amount - expenditure.outturn_amount as outturn_amount,
        expenditure.outturn_until_date,
        -- A margin rests on the weaker of its sides.
        case
            when income.original_basis = 'delivered' then expenditure.original_basis
            else income.original_basis
        end as original_basis,
        case
            when income.outturn_basis = 'delivered' then expenditure.outturn_basis
            else income.outturn_basis
        end as outturn_basis,
        expenditure.source_document_id,
        expenditure.delivery_id
    from yearly as expenditure
    left join yearly as income
        on expenditure.fiscal_year = income.fiscal_year
        and expenditure.budget_item_code = income.budget_item_code
        and income.flow = 'income'
    inner join budget_items
        on expenditure.budget_item_code = budget_items.budget_item_code
    where
        expenditure.flow = 'expenditure'
        -- A net-bound item has its binding row also while its income is not known.
        and (
            income.budget_item_code is not null
            or budget_items.binding_basis = 'net'
        )

),

-- Available = original + rights to exceed granted during the year + carry-over. A right granted
-- after the year to cover an overrun stands apart (KPI definitions, workforce and money).
with_available as (

    select
        *,
        original_amount
        + coalesce(amendment_amount, 0)
        + coalesce(carry_over_amount, 0) as available_amount
    from flows

),

with_deviation as (

    select
        *,
        outturn_amount - available_amount as deviation_amount
    from with_available

),

final as (

    select
        with_deviation.fiscal_year,
        with_deviation.budget_item_code,
        budget_items.budget_item_name_fi,
        budget_items.budget_item_name_sv,
        budget_items.budget_item_name_en,
        budget_items.parent_code,
        with_deviation.flow,
        cast(with_deviation.original_amount as decimal(18, 2)) as original_amount,
        cast(with_deviation.amendment_amount as decimal(18, 2)) as amendment_amount,
        cast(with_deviation.carry_over_amount as decimal(18, 2)) as carry_over_amount,
        cast(with_deviation.available_amount as decimal(18, 2)) as available_amount,
        cast(with_deviation.outturn_amount as decimal(18, 2)) as outturn_amount,
        cast(with_deviation.deviation_amount as decimal(18, 2)) as deviation_amount,
        cast(with_deviation.year_end_right_amount as decimal(18, 2)) as year_end_right_amount,
        cast(with_deviation.forecast_amount as decimal(18, 2)) as forecast_amount,
        case
            when with_deviation.available_amount <> 0
                then
                    cast(with_deviation.deviation_amount as double)
                    / abs(cast(with_deviation.available_amount as double))
        end as deviation_share,
        budget_items.binding_basis,
        coalesce(
            (budget_items.binding_basis = 'gross' and with_deviation.flow = 'expenditure')
            or (budget_items.binding_basis = 'net' and with_deviation.flow = 'margin'),
            false
        ) as is_binding_row,
        -- Expenditure is exceeded above what is available, a margin below it; income has no limit.
        case with_deviation.flow
            when 'expenditure' then with_deviation.deviation_amount > 0
            when 'margin' then with_deviation.deviation_amount < 0
        end as is_exceeded,
        case
            when with_deviation.original_amount is null then 'not_available'
            else with_deviation.original_basis
        end as original_basis,
        case
            when with_deviation.outturn_amount is null then 'not_available'
            else with_deviation.outturn_basis
        end as outturn_basis,
        with_deviation.outturn_until_date,
        with_deviation.delivery_id,
        with_deviation.source_document_id
    from with_deviation
    inner join budget_items
        on with_deviation.budget_item_code = budget_items.budget_item_code

)

select * from final
