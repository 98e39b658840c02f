-- One thing under two names: every other name under which a document prints a code.
with

aliases as (

    select * from {{ ref('code_aliases') }}

),

names as (

    select
        'budget_items' as code_table,
        budget_item_code as code,
        budget_item_name_fi as name
    from {{ ref('dim_budget_item') }}

    union all

    select
        'service_entities' as code_table,
        service_entity_code as code,
        service_entity_name_fi as name
    from {{ ref('dim_service_entity') }}

    union all

    select
        'staff_groups' as code_table,
        staff_group_code as code,
        staff_group_name_fi as name
    from {{ ref('dim_staff_group') }}

),

final as (

    select
        'two_names' as kind,
        aliases.code_table as domain,
        aliases.code_table || '/' || aliases.code as subject,
        aliases.alias as first_text,
        aliases.source_document_id
        || coalesce(', table ' || aliases.source_table, ', text') as first_source,
        names.name as second_text,
        'name in the warehouse' as second_source
    from aliases
    inner join names
        on aliases.code_table = names.code_table
        and aliases.code = names.code

)

select * from final
