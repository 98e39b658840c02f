-- What a document prints of the budget and what its own parts make of it: totals of items,
-- available = original + rights + carry-over, deviation = outturn - available, margins.
with

readings as (

    select * from {{ ref('int_quality__readings') }}
    where domain = 'budget'

),

computed as (

    select * from {{ ref('mart_budget_outturn') }}

),

items as (

    select * from {{ ref('int_finance__budget_items_yearly') }}

),

budget_items as (

    select * from {{ ref('dim_budget_item') }}

),

stages as (

    select * from {{ ref('int_finance__yearly_stages') }}

),

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

undocumented as (

    select
        stages.fiscal_year,
        stages.budget_item_code,
        stages.flow,
        stages.stage,
        deliveries.delivery_date
    from stages
    inner join deliveries
        on stages.undocumented_delivery_id = deliveries.delivery_id

),

-- An item moves its total as well, and either flow the margin.
moved as (

    select * from undocumented

    union all

    select
        undocumented.fiscal_year,
        budget_items.parent_code as budget_item_code,
        undocumented.flow,
        undocumented.stage,
        undocumented.delivery_date
    from undocumented
    inner join budget_items
        on undocumented.budget_item_code = budget_items.budget_item_code
    where budget_items.parent_code is not null

),

of_flows as (

    select * from moved

    union all

    select
        fiscal_year,
        budget_item_code,
        'margin' as flow,
        stage,
        delivery_date
    from moved

),

-- When a delivery without a document last gave what a printed figure is compared with: a document
-- could not know of it, so it restates the figure and contradicts nothing.
restated as (

    select
        fiscal_year,
        budget_item_code,
        flow,
        max(case when stage = 'original' then delivery_date end) as original_date,
        max(case when stage = 'outturn' then delivery_date end) as outturn_date,
        max(case when stage in ('original', 'amendment', 'carry_over') then delivery_date end)
            as available_date,
        max(
            case
                when stage in ('original', 'amendment', 'carry_over', 'outturn') then delivery_date
            end
        ) as deviation_date
    from of_flows
    group by fiscal_year, budget_item_code, flow

),

printed as (

    select
        subject,
        domain,
        scope_code as budget_item_code,
        {{ dbt.split_part('measure_code', "'/'", 1) }} as flow,
        {{ dbt.split_part('measure_code', "'/'", 2) }} as stage,
        cast(substring(period_code, 1, 4) as integer) as fiscal_year,
        value,
        value_precision,
        place,
        first_delivery_date
    from readings

),

changes_of_items as (

    select
        printed.fiscal_year,
        printed.flow,
        budget_items.parent_code as budget_item_code,
        cast(sum(cast(printed.value as decimal(28, 8))) as double) as value
    from printed
    inner join budget_items
        on printed.budget_item_code = budget_items.budget_item_code
    where
        printed.stage = 'printed_change'
        and budget_items.parent_code is not null
    group by printed.fiscal_year, printed.flow, budget_items.parent_code

),

-- The year before's original total as the total's own row gives it.
originals_of_totals as (

    select
        originals.budget_item_code,
        originals.flow,
        originals.fiscal_year - 1 as fiscal_year,
        'budget/' || originals.flow || '/original/' || originals.budget_item_code || '/'
        || cast(originals.fiscal_year - 1 as {{ dbt.type_string() }}) as subject,
        originals.value - changes.value as value,
        changes.value_precision,
        changes.first_delivery_date,
        'total of the next year less its change: ' || changes.place as place
    from printed as originals
    inner join printed as changes
        on originals.budget_item_code = changes.budget_item_code
        and originals.flow = changes.flow
        and originals.fiscal_year = changes.fiscal_year
        and originals.place = changes.place
        and changes.stage = 'printed_change'
    where originals.stage = 'original'

),

compared as (

    select
        printed.subject,
        printed.value as first_value,
        printed.place as first_source,
        cast(
            case printed.stage
                -- What is taken as delivered is compared in `int_quality__two_places`.
                when 'original'
                    then
                        case
                            when computed.original_basis <> 'delivered'
                                then computed.original_amount
                        end
                when 'outturn'
                    then
                        case
                            when computed.outturn_basis <> 'delivered'
                                then computed.outturn_amount
                        end
                when 'printed_available' then computed.available_amount
                when 'printed_deviation' then computed.deviation_amount
            end as double
        ) as second_value,
        case
            when computed.original_basis = 'sum_of_items' then 'sum of the budget items'
            else 'computed from the item''s own stages'
        end as second_source,
        printed.value_precision as tolerance,
        printed.first_delivery_date,
        case printed.stage
            when 'original' then restated.original_date
            when 'outturn' then restated.outturn_date
            when 'printed_available' then restated.available_date
            when 'printed_deviation' then restated.deviation_date
        end as restated_date
    from printed
    inner join computed
        on printed.budget_item_code = computed.budget_item_code
        and printed.flow = computed.flow
        and printed.fiscal_year = computed.fiscal_year
    left join restated
        on printed.budget_item_code = restated.budget_item_code
        and printed.flow = restated.flow
        and printed.fiscal_year = restated.fiscal_year

    union all

    select
        printed.subject,
        printed.value as first_value,
        printed.place as first_source,
        changes_of_items.value as second_value,
        'sum of the budget items' as second_source,
        printed.value_precision as tolerance,
        printed.first_delivery_date,
        cast(null as date) as restated_date
    from printed
    inner join changes_of_items
        on printed.budget_item_code = changes_of_items.budget_item_code
        and printed.flow = changes_of_items.flow
        and printed.fiscal_year = changes_of_items.fiscal_year
    where printed.stage = 'printed_change'

    union all

    select
        originals_of_totals.subject,
        originals_of_totals.value as first_value,
        originals_of_totals.place as first_source,
        cast(items.original_amount as double) as second_value,
        'sum of the budget items' as second_source,
        originals_of_totals.value_precision as tolerance,
        originals_of_totals.first_delivery_date,
        restated.original_date as restated_date
    from originals_of_totals
    inner join items
        on originals_of_totals.budget_item_code = items.budget_item_code
        and originals_of_totals.flow = items.flow
        and originals_of_totals.fiscal_year = items.fiscal_year
        and items.original_basis = 'sum_of_items'
    left join restated
        on originals_of_totals.budget_item_code = restated.budget_item_code
        and originals_of_totals.flow = restated.flow
        and originals_of_totals.fiscal_year = restated.fiscal_year

),

final as (

    select
        'sum_vs_parts' as kind,
        'budget' as domain,
        subject,
        first_value,
        first_source,
        second_value,
        second_source,
        'second' as chosen,
        'the parts before a printed total' as rule
    from compared
    where
        second_value is not null
        and (restated_date is null or restated_date < first_delivery_date)
        -- A printed 0 says nothing of its precision: 100 000 euros is the documents' finest.
        and abs(first_value - second_value)
        > case when first_value = 0 then least(tolerance, 100000) else tolerance end / 2 + 1e-6

)

select * from final
