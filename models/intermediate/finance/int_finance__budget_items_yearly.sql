with

stages as (

    select * from {{ ref('int_finance__yearly_stages') }}

),

budget_items as (

    select * from {{ ref('dim_budget_item') }}

),

amounts as (

    select * from {{ ref('stg_budget__amounts') }}

),

pivoted as (

    select
        fiscal_year,
        budget_item_code,
        flow,
        {%- for stage in [
            'original', 'amendment', 'carry_over', 'year_end_right', 'forecast', 'outturn',
            'printed_deviation',
        ] %}
        max(case when stage = '{{ stage }}' then amount end) as {{ stage }}_amount,
        {%- endfor %}
        max(case when stage = 'outturn' then known_until_date end) as outturn_until_date,
        min(case when stage not like 'printed%' then source_document_id end)
            as source_document_id,
        max(case when stage not like 'printed%' then delivery_id end) as delivery_id
    from stages
    where flow in ('expenditure', 'income')
    group by fiscal_year, budget_item_code, flow

),

-- What one table, one section of a text, or one delivery without a document gives of a year's
-- original budget and of its change from the year before.
in_places as (

    select
        *,
        case
            when source_document_id is null then delivery_id
            when source_table is not null then source_document_id || '/table/' || source_table
            else source_document_id || '/text/' || coalesce(source_section, '')
        end as place
    from amounts
    where
        stage in ('original', 'printed_change')
        and period_grain = 'year'
        and account_group is null
        and unit_id is null
        and not is_internal
        and amount is not null

),

place_versions as (

    select
        *,
        {{ version_rank(['place', 'fiscal_year', 'budget_item_code', 'flow', 'stage']) }}
            as version_rank
    from in_places

),

place_amounts as (

    select * from place_versions
    where version_rank = 1

),

-- A year's original budget that no delivery gives follows from the next year's: its original less
-- the printed change. That is how the 2021 budget is known (action plan 2022, table 1). The change
-- belongs to the original beside it: one restated elsewhere says nothing of the year before.
pairs as (

    select
        originals.fiscal_year - 1 as fiscal_year,
        originals.budget_item_code,
        originals.flow,
        cast(originals.amount - changes.amount as decimal(18, 2)) as derived_original_amount,
        changes.source_document_id,
        changes.source_table,
        changes.delivery_id,
        changes.delivery_date,
        changes.delivery_number,
        changes.first_delivery_date
    from place_amounts as originals
    inner join place_amounts as changes
        on originals.place = changes.place
        and originals.fiscal_year = changes.fiscal_year
        and originals.budget_item_code = changes.budget_item_code
        and originals.flow = changes.flow
        and changes.stage = 'printed_change'
    where
        originals.stage = 'original'
        and originals.flow in ('expenditure', 'income')

),

pair_versions as (

    select
        *,
        {{ version_rank(['fiscal_year', 'budget_item_code', 'flow']) }} as version_rank
    from pairs

),

next_years as (

    select * from pair_versions
    where version_rank = 1

),

of_stages as (

    select
        coalesce(pivoted.fiscal_year, next_years.fiscal_year) as fiscal_year,
        coalesce(pivoted.budget_item_code, next_years.budget_item_code) as budget_item_code,
        coalesce(pivoted.flow, next_years.flow) as flow,
        coalesce(pivoted.original_amount, next_years.derived_original_amount) as original_amount,
        pivoted.amendment_amount,
        pivoted.carry_over_amount,
        pivoted.year_end_right_amount,
        pivoted.forecast_amount,
        pivoted.outturn_amount,
        pivoted.printed_deviation_amount,
        pivoted.outturn_until_date,
        case
            when pivoted.original_amount is not null then 'delivered'
            when next_years.derived_original_amount is not null then 'next_year_less_change'
            else 'not_available'
        end as original_basis,
        coalesce(pivoted.source_document_id, next_years.source_document_id)
            as source_document_id,
        coalesce(pivoted.delivery_id, next_years.delivery_id) as delivery_id
    from pivoted
    full outer join next_years
        on pivoted.fiscal_year = next_years.fiscal_year
        and pivoted.budget_item_code = next_years.budget_item_code
        and pivoted.flow = next_years.flow

),

-- An outturn that a document does not print follows from the deviation that it does: Apotti's
-- income of 2021 is what was available and 0,1 million more.
of_items as (

    select
        fiscal_year,
        budget_item_code,
        flow,
        original_amount,
        amendment_amount,
        carry_over_amount,
        year_end_right_amount,
        forecast_amount,
        cast(
            coalesce(
                outturn_amount,
                original_amount
                + coalesce(amendment_amount, 0)
                + coalesce(carry_over_amount, 0)
                + printed_deviation_amount
            ) as decimal(18, 2)
        ) as outturn_amount,
        outturn_until_date,
        original_basis,
        case
            when outturn_amount is not null then 'delivered'
            when printed_deviation_amount is not null then 'available_plus_deviation'
            else 'not_available'
        end as outturn_basis,
        source_document_id,
        delivery_id
    from of_stages

),

-- How many items a total has: a sum of fewer is not the total.
item_counts as (

    select
        parent_code,
        count(*) as item_count
    from budget_items
    where parent_code is not null
    group by parent_code

),

-- An item without a budget needs no outturn: the documents print none for HUS's income of 0.
with_gaps as (

    select
        of_items.*,
        budget_items.parent_code,
        coalesce(of_items.original_amount = 0, false)
        and coalesce(of_items.amendment_amount, 0) = 0
        and coalesce(of_items.carry_over_amount, 0) = 0 as has_no_budget
    from of_items
    inner join budget_items
        on of_items.budget_item_code = budget_items.budget_item_code
    where budget_items.parent_code is not null

),

summed as (

    select
        fiscal_year,
        parent_code,
        flow,
        count(*) as item_count,
        sum(original_amount) as original_amount,
        sum(amendment_amount) as amendment_amount,
        sum(carry_over_amount) as carry_over_amount,
        sum(year_end_right_amount) as year_end_right_amount,
        sum(forecast_amount) as forecast_amount,
        sum(outturn_amount) as outturn_amount,
        sum(case when original_amount is null then 1 else 0 end) as missing_original_count,
        sum(case when forecast_amount is null and not has_no_budget then 1 else 0 end)
            as missing_forecast_count,
        sum(case when outturn_amount is null and not has_no_budget then 1 else 0 end)
            as missing_outturn_count,
        min(outturn_until_date) as outturn_until_date,
        min(source_document_id) as source_document_id,
        max(delivery_id) as delivery_id
    from with_gaps
    group by fiscal_year, parent_code, flow

),

-- Parts before sum: a total whose items are all known is their sum, and the total that a document
-- or delivery gives is a second reading (`mart_document_conflicts`). What only some items have, the
-- total's own row says, or nobody.
of_parents as (

    select
        summed.fiscal_year,
        summed.parent_code as budget_item_code,
        summed.flow,
        {%- for stage in ['original', 'forecast', 'outturn'] %}
        cast(
            case
                when summed.missing_{{ stage }}_count = 0 then summed.{{ stage }}_amount
                else own_rows.{{ stage }}_amount
            end as decimal(18, 2)
        ) as {{ stage }}_amount,
        {%- endfor %}
        cast(summed.amendment_amount as decimal(18, 2)) as amendment_amount,
        cast(summed.carry_over_amount as decimal(18, 2)) as carry_over_amount,
        cast(summed.year_end_right_amount as decimal(18, 2)) as year_end_right_amount,
        summed.outturn_until_date,
        case
            when summed.missing_original_count = 0 then 'sum_of_items'
            else own_rows.original_basis
        end as original_basis,
        case
            when summed.missing_outturn_count = 0 then 'sum_of_items'
            else own_rows.outturn_basis
        end as outturn_basis,
        summed.source_document_id,
        summed.delivery_id
    from summed
    inner join item_counts
        on summed.parent_code = item_counts.parent_code
        and summed.item_count = item_counts.item_count
    left join of_items as own_rows
        on summed.fiscal_year = own_rows.fiscal_year
        and summed.parent_code = own_rows.budget_item_code
        and summed.flow = own_rows.flow

),

final as (

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
    from of_parents

    union all

    select
        of_items.fiscal_year,
        of_items.budget_item_code,
        of_items.flow,
        of_items.original_amount,
        of_items.amendment_amount,
        of_items.carry_over_amount,
        of_items.year_end_right_amount,
        of_items.forecast_amount,
        of_items.outturn_amount,
        of_items.outturn_until_date,
        of_items.original_basis,
        of_items.outturn_basis,
        of_items.source_document_id,
        of_items.delivery_id
    from of_items
    left join of_parents
        on of_items.fiscal_year = of_parents.fiscal_year
        and of_items.budget_item_code = of_parents.budget_item_code
        and of_items.flow = of_parents.flow
    where of_parents.budget_item_code is null

)

select * from final
