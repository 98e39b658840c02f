-- Changes that are too sudden for their series and that no document and no known event explains.
-- A rule's limits stand in the seed `break_rules`.
with

figures as (

    select * from {{ ref('int_outputs__yearly_figures') }}
    where value_status <> 'partial'

),

documented as (

    select * from {{ ref('series_breaks') }}

),

events as (

    select * from {{ ref('known_events') }}

),

rules as (

    select * from {{ ref('break_rules') }}

),

-- The logarithm makes a doubling and a halving equally large.
changes as (

    select
        figures.measure_code,
        figures.year,
        figures.value,
        previous.value as previous_value,
        figures.source_document_id,
        figures.source_table,
        figures.source_section,
        cast(figures.value as double) / previous.value - 1 as change_share,
        abs(ln(cast(figures.value as double) / previous.value)) as log_change
    from figures
    inner join figures as previous
        on figures.measure_code = previous.measure_code
        and figures.year = previous.year + 1
    where
        figures.value > 0
        and previous.value > 0

),

unexplained as (

    select changes.*
    from changes
    left join documented
        on changes.measure_code = documented.measure_code
        and (
            changes.year = extract(year from documented.break_date)
            -- A break in the middle of a year parts the next one too, as in the mart.
            or (
                changes.year = extract(year from documented.break_date) + 1
                and extract(doy from documented.break_date) > 1
            )
        )
    where documented.measure_code is null

),

-- What is usual is judged by the other years: those before and after, without the year in question.
usual as (

    select
        unexplained.measure_code,
        unexplained.year,
        count(others.year) as usual_count,
        {{ median('others.log_change') }} as usual_log_change
    from unexplained
    left join unexplained as others
        on unexplained.measure_code = others.measure_code
        and unexplained.year <> others.year
    group by unexplained.measure_code, unexplained.year

),

suspected as (

    select
        unexplained.measure_code,
        cast(
            cast(unexplained.year as {{ dbt.type_string() }}) || '-01-01' as date
        ) as break_date,
        unexplained.change_share,
        usual.usual_log_change,
        rules.rule_fi,
        rules.rule_sv,
        rules.rule_en,
        unexplained.source_document_id,
        unexplained.source_table,
        unexplained.source_section,
        -- A change that several rules suspect is one break, in the words of the first of them.
        row_number() over (
            partition by unexplained.measure_code, unexplained.year
            order by rules.rule_code
        ) as rule_rank
    from unexplained
    inner join usual
        on unexplained.measure_code = usual.measure_code
        and unexplained.year = usual.year
    -- Every rule judges every change.
    cross join rules
    left join events
        on unexplained.year >= extract(year from events.first_date)
        and unexplained.year <= extract(year from events.last_date)
    where
        events.event_code is null
        and abs(unexplained.change_share) >= rules.min_change_share
        and usual.usual_count >= rules.min_usual_changes
        and unexplained.log_change >= rules.min_times_usual_change * usual.usual_log_change
        and unexplained.value >= rules.min_value
        and unexplained.previous_value >= rules.min_value

),

final as (

    select
        measure_code,
        break_date,
        change_share,
        usual_log_change,
        rule_fi,
        rule_sv,
        rule_en,
        source_document_id,
        source_table,
        source_section
    from suspected
    where rule_rank = 1

)

select * from final
