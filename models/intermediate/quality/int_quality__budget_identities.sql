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
        place
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
                when 'original' then computed.original_amount
                when 'outturn' then computed.outturn_amount
                when 'printed_available' then computed.available_amount
                when 'printed_deviation' then computed.deviation_amount
            end as double
        ) as second_value,
        case
            when computed.original_basis = 'sum_of_items' then 'sum of the budget items'
            else 'computed from the item''s own stages'
        end as second_source,
        printed.value_precision as tolerance
    from printed
    inner join computed
        on printed.budget_item_code = computed.budget_item_code
        and printed.flow = computed.flow
        and printed.fiscal_year = computed.fiscal_year

    union all

    select
        printed.subject,
        printed.value as first_value,
        printed.place as first_source,
        changes_of_items.value as second_value,
        'sum of the budget items' as second_source,
        printed.value_precision as tolerance
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
        originals_of_totals.value_precision as tolerance
    from originals_of_totals
    inner join items
        on originals_of_totals.budget_item_code = items.budget_item_code
        and originals_of_totals.flow = items.flow
        and originals_of_totals.fiscal_year = items.fiscal_year
        and items.original_basis = 'sum_of_items'

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
        -- A printed 0 says nothing of its precision: 100 000 euros is the documents' finest.
        and abs(first_value - second_value)
        > case when first_value = 0 then least(tolerance, 100000) else tolerance end / 2 + 1e-6

)

select * from final
