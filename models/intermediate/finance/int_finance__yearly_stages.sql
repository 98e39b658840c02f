with

amounts as (

    select * from {{ ref('fct_budget_outturn') }}
    where
        -- The budget binds towards the outside: the city's internal items are left out of it.
        not is_internal
        and stage <> 'printed_available'
        and amount is not null

),

-- An item's own row speaks for the item, without one the rows of its units, without these those of
-- its account groups: 1, 2 and 3. They tell the same money and are never added up.
cuts as (

    select
        *,
        case
            when account_group is null and unit_id is null then 1
            when account_group is null then 2
            else 3
        end as cut
    from amounts

),

with_coarsest_cut as (

    select
        *,
        min(cut) over (
            partition by budget_item_code, period_code, flow, stage
        ) as coarsest_cut
    from cuts

),

of_periods as (

    select
        fiscal_year,
        budget_item_code,
        flow,
        stage,
        period_code,
        period_grain,
        period_end_date,
        sum(amount) as amount,
        min(source_document_id) as source_document_id,
        max(delivery_id) as delivery_id,
        max(case when source_document_id is null then delivery_id end) as undocumented_delivery_id
    from with_coarsest_cut
    where cut = coarsest_cut
    group by
        fiscal_year, budget_item_code, flow, stage, period_code, period_grain, period_end_date

),

-- Outturn and forecast are cumulative, and an original budget is one: their newest period is the
-- year's, and the year's own figure comes before its last month's. Rights and carry-over add up.
ranked as (

    select
        *,
        row_number() over (
            partition by fiscal_year, budget_item_code, flow, stage
            order by
                period_end_date desc,
                case period_grain when 'year' then 1 when 'quarter' then 2 else 3 end
        ) as recency,
        -- 1 year, 2 quarter, 3 month: the longest period that the year's rights are given for.
        min(case period_grain when 'year' then 1 when 'quarter' then 2 else 3 end) over (
            partition by fiscal_year, budget_item_code, flow, stage
        ) as longest_grain
    from of_periods

),

used as (

    select *
    from ranked
    where
        case
            when stage in ('amendment', 'carry_over', 'year_end_right')
                then
                    longest_grain
                    = case period_grain when 'year' then 1 when 'quarter' then 2 else 3 end
            else recency = 1
        end

),

final as (

    select
        fiscal_year,
        budget_item_code,
        flow,
        stage,
        max(period_end_date) as known_until_date,
        cast(sum(amount) as decimal(18, 2)) as amount,
        min(source_document_id) as source_document_id,
        max(delivery_id) as delivery_id,
        max(undocumented_delivery_id) as undocumented_delivery_id
    from used
    group by fiscal_year, budget_item_code, flow, stage

)

select * from final
