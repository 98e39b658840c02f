with

facts as (

    select * from {{ ref('stg_published_facts__facts') }}

),

items as (

    select * from {{ ref('published_fact_items') }}

),

scopes as (

    select * from {{ ref('published_fact_scopes') }}

),

{% set key = [
    'fact_code', 'scope_code', 'period_text', 'fact_kind', 'source_document_id',
] %}

-- Every document keeps its own reading; only a later delivery of the same document replaces it.
versions as (

    select
        *,
        {{ version_rank(key) }} as version_rank
    from facts

),

final as (

    select
        versions.fact_code,
        items.fact_name_fi,
        items.fact_name_sv,
        items.fact_name_en,
        items.theme,
        items.unit_of_measure,
        items.parent_fact_code,
        versions.scope_code,
        scopes.scope_name_fi,
        scopes.scope_name_sv,
        scopes.scope_name_en,
        versions.period_text,
        versions.fact_kind,
        versions.value,
        versions.value_precision,
        versions.lower_bound,
        versions.upper_bound,
        versions.certainty,
        versions.value_status,
        versions.value_note,
        {{ provenance_columns('versions') }}
    from versions
    inner join items
        on versions.fact_code = items.fact_code
    left join scopes
        on versions.scope_code = scopes.scope_code
    where versions.version_rank = 1

)

select * from final
