-- Totals that a document prints beside their parts: the parts must make the total to the printed
-- precision.
with

readings as (

    select * from {{ ref('int_quality__readings') }}

),

measure_parts as (

    select * from {{ ref('measure_parts') }}

),

personnel_measures as (

    select * from {{ ref('dim_personnel_measure') }}

),

staff_groups as (

    select * from {{ ref('dim_staff_group') }}

),

fact_items as (

    select * from {{ ref('published_fact_items') }}

),

personnel as (

    select
        readings.*,
        {{ dbt.split_part('readings.scope_code', "'/'", 1) }} as service_entity_code,
        {{ dbt.split_part('readings.scope_code', "'/'", 2) }} as staff_group_code
    from readings
    inner join personnel_measures
        on readings.measure_code = personnel_measures.measure_code
        and personnel_measures.is_additive_over_groups
    where readings.domain = 'personnel'

),

-- Measures that make up another one (permanent + fixed-term = total), read in the same place.
of_measures as (

    select
        total.subject,
        total.domain,
        total.value,
        total.place,
        total.value_precision,
        parts.value * measure_parts.part_sign as part_value,
        parts.value_precision as part_precision,
        'parts: ' || parts.place as parts_place
    from readings as total
    inner join measure_parts
        on total.domain = measure_parts.domain
        and (
            total.measure_code = measure_parts.total_code
            or total.measure_code like measure_parts.total_code || '/%'
        )
    inner join readings as parts
        on total.domain = parts.domain
        and total.period_code = parts.period_code
        and total.place = parts.place
        and (
            parts.measure_code = measure_parts.part_code
            -- What happened is the sum of what happened: the kind after the slash is the same.
            or parts.measure_code
            = measure_parts.part_code
            || substring(total.measure_code, length(measure_parts.total_code) + 1)
        )
    where
        -- Own and purchased places are other cuts of their total; everywhere else the cut agrees.
        total.domain = 'output'
        or total.scope_code = parts.scope_code

),

of_entities as (

    select
        total.subject,
        total.domain,
        total.value,
        total.place,
        total.value_precision,
        parts.value as part_value,
        parts.value_precision as part_precision,
        'service entities: ' || parts.place as parts_place
    from personnel as total
    inner join personnel as parts
        on total.measure_code = parts.measure_code
        and total.period_code = parts.period_code
        and total.place = parts.place
        and total.staff_group_code = parts.staff_group_code
        and parts.service_entity_code <> 'ALL'
    where total.service_entity_code = 'ALL'

),

of_groups as (

    select
        total.subject,
        total.domain,
        total.value,
        total.place,
        total.value_precision,
        parts.value as part_value,
        parts.value_precision as part_precision,
        'staff groups: ' || parts.place as parts_place
    from personnel as total
    inner join personnel as parts
        on total.measure_code = parts.measure_code
        and total.period_code = parts.period_code
        and total.place = parts.place
        and total.service_entity_code = parts.service_entity_code
        and parts.staff_group_code <> 'ALL'
    inner join staff_groups
        on parts.staff_group_code = staff_groups.staff_group_code
    -- A group whose own parent stands in the same place is counted in that one.
    left join personnel as parents
        on parts.measure_code = parents.measure_code
        and parts.period_code = parents.period_code
        and parts.place = parents.place
        and parts.service_entity_code = parents.service_entity_code
        and staff_groups.parent_staff_group_code = parents.staff_group_code
        and parents.staff_group_code <> 'ALL'
    where
        total.staff_group_code = 'ALL'
        and parents.subject is null

),

facts as (

    select
        readings.*,
        fact_items.scopes_add_up_to,
        -- A document may print a figure in several sections: it counts once.
        row_number() over (
            partition by readings.subject, readings.source_document_id
            order by readings.place
        ) as document_rank
    from readings
    inner join fact_items
        on {{ dbt.split_part('readings.measure_code', "'/'", 1) }} = fact_items.fact_code
    where readings.domain = 'fact'

),

of_scopes as (

    select
        total.subject,
        total.domain,
        total.value,
        total.place,
        total.value_precision,
        parts.value as part_value,
        parts.value_precision as part_precision,
        'scopes: ' || parts.place as parts_place
    from facts as total
    inner join facts as parts
        on total.measure_code = parts.measure_code
        and total.period_code = parts.period_code
        and total.source_document_id = parts.source_document_id
        and parts.document_rank = 1
        and parts.scope_code <> 'ALL'
    where
        total.scopes_add_up_to = 'own_row'
        and total.scope_code = 'ALL'

),

of_shares as (

    select
        'fact/' || measure_code || '/ALL/' || period_code as subject,
        domain,
        cast(1 as double) as value,
        'the whole, 100 per cent' as place,
        cast(0 as double) as value_precision,
        value as part_value,
        value_precision as part_precision,
        'shares: ' || source_document_id as parts_place
    from facts
    where
        scopes_add_up_to = 'one'
        and document_rank = 1

),

-- Each way of summing is a sum of its own: entities and groups of one table are not added up.
unioned as (

    select
        'parts' as sum_kind,
        *
    from of_measures

    union all

    select
        'entities' as sum_kind,
        *
    from of_entities

    union all

    select
        'groups' as sum_kind,
        *
    from of_groups

    union all

    select
        'scopes' as sum_kind,
        *
    from of_scopes

    union all

    -- Each document's shares make a whole of their own.
    select
        parts_place as sum_kind,
        *
    from of_shares

),

sums as (

    select
        subject,
        domain,
        value as first_value,
        place as first_source,
        -- In decimals: a sum of binary fractions depends on the order of its rows.
        cast(sum(cast(part_value as decimal(28, 8))) as double) as second_value,
        min(parts_place) as second_source,
        greatest(max(value_precision), max(part_precision)) as tolerance,
        count(*) as part_count
    from unioned
    group by sum_kind, subject, domain, value, place

),

final as (

    select
        'sum_vs_parts' as kind,
        domain,
        subject,
        first_value,
        first_source,
        second_value,
        second_source,
        'first' as chosen,
        'the printed total; its parts are kept as printed' as rule
    from sums
    where
        part_count > 1
        -- Half a unit of the last printed digit, and a hair for binary fractions.
        and abs(first_value - second_value) > tolerance / 2 + 1e-9

)

select * from final
