with

aliases as (

    select * from {{ ref('code_aliases') }}

),

final as (

    select
        code_table,
        alias as alias_name_fi,
        code,
        source_document_id,
        source_table
    from aliases

)

select * from final
