-- Two readings that differ, each with its place: two numbers or two texts, never one of either; a
-- side that was chosen, by a rule in words. What does not differ is no conflict.
with

conflicts as (

    select * from {{ ref('mart_document_conflicts') }}

),

final as (

    select
        conflict_id,
        first_value,
        first_text,
        second_value,
        second_text,
        difference,
        chosen,
        chosen_value,
        rule
    from conflicts
    where
        coalesce(first_source, '') = ''
        or coalesce(second_source, '') = ''
        or coalesce(rule, '') = ''
        or chosen is null
        or chosen not in ('first', 'second')
        or (first_value is null) <> (second_value is null)
        or (first_text is null) <> (second_text is null)
        or (first_value is null) = (first_text is null)
        or first_value = second_value
        or first_text = second_text
        or (first_value is not null and coalesce(difference, 0) = 0)
        or (chosen = 'first' and chosen_value <> first_value)
        or (chosen = 'second' and chosen_value <> second_value)
        or (first_value is not null and chosen_value is null)

)

select * from final
