with

budget_items as (

    select * from {{ ref('budget_items') }}

),

aliases as (

    select * from {{ ref('code_aliases') }}
    where code_table = 'budget_items'

),

printed_names as (

    select
        code as budget_item_code,
        {{ dbt.listagg('alias', "' | '", 'order by alias') }} as other_names_fi
    from aliases
    group by code

),

final as (

    select
        budget_items.budget_item_code,
        budget_items.budget_item_name_fi,
        budget_items.budget_item_name_sv,
        budget_items.budget_item_name_en,
        printed_names.other_names_fi,
        budget_items.parent_code,
        budget_items.binding_basis,
        budget_items.binding_basis_evidence,
        budget_items.binding_basis_source_document_id,
        budget_items.binding_basis_source_section,
        budget_items.valid_from,
        budget_items.valid_to,
        budget_items.sort_order
    from budget_items
    left join printed_names
        on budget_items.budget_item_code = printed_names.budget_item_code

)

select * from final
