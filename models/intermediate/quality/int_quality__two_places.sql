-- One thing printed in two places: the readings must agree to the coarser of their precisions.
with

readings as (

    select * from {{ ref('int_quality__readings') }}

),

pairs as (

    select
        others.subject,
        others.domain,
        case
            when others.source_document_id <> in_force.source_document_id
                then 'document_vs_document'
            when (others.source_table is null) <> (in_force.source_table is null)
                then 'text_vs_table'
            else 'place_vs_place'
        end as kind,
        others.value as first_value,
        others.place as first_source,
        in_force.value as second_value,
        in_force.place as second_source,
        greatest(others.value_precision, in_force.value_precision) as tolerance,
        'second' as chosen,
        case
            when others.source_document_id <> in_force.source_document_id
                then 'the newer document restates the older one'
            when others.source_table is null and in_force.source_table is not null
                then 'a table before the text around it'
            else 'the later delivery of the document'
        end as rule
    from readings as others
    inner join readings as in_force
        on others.subject = in_force.subject
        and in_force.is_in_force
    where not others.is_in_force

),

final as (

    select
        kind,
        domain,
        subject,
        first_value,
        first_source,
        second_value,
        second_source,
        chosen,
        rule
    from pairs
    where
        -- Half a unit of the coarser print, and a hair for binary fractions.
        abs(first_value - second_value) > tolerance / 2 + 1e-9

)

select * from final
