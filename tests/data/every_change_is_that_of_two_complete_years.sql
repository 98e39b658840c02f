-- A change is the difference of this year's figure and that of the year before, both known and
-- complete; whatever is not compared says so and shows no change.
with

figures as (

    select * from {{ ref('mart_output_statistics') }}

),

final as (

    select
        figures.measure_code,
        figures.year,
        figures.value,
        earlier.value as earlier_value,
        figures.change_count,
        figures.change_share,
        figures.comparability
    from figures
    left join figures as earlier
        on figures.measure_code = earlier.measure_code
        and figures.year - 1 = earlier.year
    where
        (not figures.is_comparable and figures.change_count is not null)
        or (not figures.is_comparable and figures.change_share is not null)
        or figures.is_comparable <> (figures.comparability = 'comparable')
        or (
            figures.is_comparable
            and (
                figures.change_count is null
                or earlier.value is null
                or figures.value is null
                or figures.value_status = 'partial'
                or earlier.value_status = 'partial'
                or figures.value <> earlier.value + figures.change_count
                or (earlier.value <> 0 and figures.change_share is null)
                or (earlier.value = 0 and figures.change_share is not null)
            )
        )

)

select * from final
