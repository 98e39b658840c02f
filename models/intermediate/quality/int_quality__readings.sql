-- Every figure that a document prints, in one shape, so that one check compares them all.
with

personnel as (

    select
        'personnel' as domain,
        measure_code,
        service_entity_code || '/' || staff_group_code as scope_code,
        case
            when period_grain = 'month' then cast(period_end_date as {{ dbt.type_string() }})
            else period_code
        end as period_code,
        value,
        value_precision,
        {{ provenance_columns('figures') }},
        delivery_date,
        delivery_number,
        first_delivery_date
    from {{ ref('stg_personnel__figures') }} as figures

),

budget as (

    select
        'budget' as domain,
        flow || '/' || stage as measure_code,
        budget_item_code as scope_code,
        period_code,
        cast(amount as double) as value,
        cast(amount_precision as double) as value_precision,
        {{ provenance_columns('amounts') }},
        delivery_date,
        delivery_number,
        first_delivery_date
    from {{ ref('stg_budget__amounts') }} as amounts
    where
        account_group is null
        and unit_id is null
        and not is_internal

),

outputs as (

    select
        'output' as domain,
        measure_code,
        producer_type as scope_code,
        period_code,
        cast(value as double) as value,
        cast(1 as double) as value_precision,
        {{ provenance_columns('figures') }},
        delivery_date,
        delivery_number,
        first_delivery_date
    from {{ ref('stg_output_statistics__figures') }} as figures
    where unit_id is null

),

shortfall as (

    select
        'shortfall' as domain,
        'total_shortfall' as measure_code,
        service_entity_code || '/' || staff_group_code as scope_code,
        cast(count_date as {{ dbt.type_string() }}) as period_code,
        shortfall_share as value,
        cast(0.01 as double) as value_precision,
        {{ provenance_columns('shares') }},
        delivery_date,
        delivery_number,
        first_delivery_date
    from {{ ref('stg_shortfall__shares') }} as shares

),

facts as (

    select
        'fact' as domain,
        fact_code || '/' || fact_kind as measure_code,
        coalesce(scope_code, 'ALL') as scope_code,
        coalesce(period_text, '') as period_code,
        value,
        -- An `about 14 000` is printed to the thousand: its trailing zeros say nothing.
        case
            when certainty = 'exact' then value_precision
            else {{ precision_of_about('value', 'value_precision') }}
        end as value_precision,
        {{ provenance_columns('facts') }},
        delivery_date,
        delivery_number,
        first_delivery_date
    from {{ ref('stg_published_facts__facts') }} as facts

),

unioned as (

    select * from personnel
    union all
    select * from budget
    union all
    select * from outputs
    union all
    select * from shortfall
    union all
    select * from facts

),

{% set subject = ['domain', 'measure_code', 'scope_code', 'period_code'] %}
{% set place = subject + ['source_document_id', 'source_table', 'source_section'] %}

-- A place is a table of a document, or a section of its text. A second delivery of the same place
-- corrects our typing and contradicts nothing.
of_places as (

    select
        *,
        {{ version_rank(place) }} as version_rank
    from unioned
    where
        source_document_id is not null
        and value is not null

),

final as (

    select
        domain,
        measure_code,
        scope_code,
        period_code,
        domain || '/' || measure_code || '/' || scope_code || '/' || period_code as subject,
        value,
        value_precision,
        source_document_id,
        source_table,
        source_section,
        source_document_id
        || case
            when source_table is not null then ', table ' || source_table
            else ', text of section ' || coalesce(source_section, '?')
        end as place,
        {{ version_rank(subject) }} = 1 as is_in_force,
        delivery_id,
        delivery_date,
        delivery_number,
        first_delivery_date,
        source_file,
        source_line
    from of_places
    where version_rank = 1

)

select * from final
