-- Available = original + rights granted during the year + carry-over, never the right of after the
-- year; deviation = outturn - available; exceeded is judged by the deviation of its own flow.
with

shown as (

    select
        *,
        original_amount
        + coalesce(amendment_amount, 0)
        + coalesce(carry_over_amount, 0) as expected_amount
    from {{ ref('mart_budget_outturn') }}

),

final as (

    select
        fiscal_year,
        budget_item_code,
        flow,
        available_amount,
        expected_amount,
        outturn_amount,
        deviation_amount,
        is_exceeded
    from shown
    where
        coalesce(available_amount, 0) <> coalesce(expected_amount, 0)
        or (available_amount is null) <> (original_amount is null)
        or coalesce(deviation_amount, 0) <> coalesce(outturn_amount - expected_amount, 0)
        or (deviation_amount is null) <> (outturn_amount is null or original_amount is null)
        or (flow = 'income' and is_exceeded is not null)
        or (flow <> 'income' and (is_exceeded is null) <> (deviation_amount is null))
        or (flow = 'expenditure' and is_exceeded <> (outturn_amount > expected_amount))
        or (flow = 'margin' and is_exceeded <> (outturn_amount < expected_amount))

)

select * from final
