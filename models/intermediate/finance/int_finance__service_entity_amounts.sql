with

amounts as (

    select * from {{ ref('stg_service_entity_finance__amounts') }}

),

-- A year that begins on or after the as-of date is not known yet (KPI definitions, common rule 3).
known as (

    select *
    from amounts
    where
        cast(cast(fiscal_year as {{ dbt.type_string() }}) || '-01-01' as date)
        < {{ as_of_date() }}

),

versions as (

    select
        *,
        {{ version_rank(['fiscal_year', 'service_entity_code']) }} as version_rank
    from known

),

final as (

    select
        fiscal_year,
        service_entity_code,
        expenditure_amount,
        expenditure_status,
        income_amount,
        income_status,
        amount_precision,
        includes_internal_items,
        delivery_id,
        source_document_id,
        source_table,
        source_section,
        source_file,
        source_line
    from versions
    where version_rank = 1

)

select * from final
