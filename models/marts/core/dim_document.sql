with

documents as (

    select * from {{ ref('documents') }}

),

final as (

    select
        document_id,
        document_name_fi,
        document_name_sv,
        document_name_en,
        publisher,
        document_kind,
        first_year,
        last_year
    from documents

)

select * from final
