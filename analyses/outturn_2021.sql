-- The 2021 budget and its outturn by budget item, million euros: what was budgeted, granted in the
-- year, carried over, available and spent, and the right granted afterwards apart.
with

outturn as (

    select * from {{ ref('mart_budget_outturn') }}
    where fiscal_year = 2021

),

budget_items as (

    select * from {{ ref('dim_budget_item') }}

),

final as (

    select
        outturn.budget_item_name_fi as talousarviokohta,
        case outturn.flow
            when 'expenditure' then 'menot'
            when 'income' then 'tulot'
            else 'toimintakate'
        end as laji,
        {%- for column, label in [
            ('original', 'Talousarvio'),
            ('amendment', 'Ylitysoikeus'),
            ('carry_over', 'Siirto'),
            ('available', 'Käytettävissä'),
            ('outturn', 'Toteuma'),
            ('deviation', 'Poikkeama'),
            ('year_end_right', 'Ylitysoikeus jälkikäteen'),
        ] %}
        {{ printed_millions('outturn.' ~ column ~ '_amount') }} as "{{ label }}",
        {%- endfor %}
        outturn.is_binding_row as sitova,
        outturn.is_exceeded as ylittyi
    from outturn
    inner join budget_items
        on outturn.budget_item_code = budget_items.budget_item_code
    order by
        budget_items.sort_order,
        case outturn.flow when 'expenditure' then 1 when 'income' then 2 else 3 end

)

select * from final
