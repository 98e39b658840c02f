-- Shares that a document prints beside the counts they are made of.
with

readings as (

    select * from {{ ref('int_quality__readings') }}

),

identities as (

    select * from {{ ref('ratio_identities') }}

),

-- Stocks stand on a date, flows on a year: both have a year.
dated as (

    select
        *,
        cast(substring(period_code, 1, 4) as integer) as year
    from readings
    where
        domain = 'personnel'
        and is_in_force

),

numerators as (

    select
        ratios.subject,
        ratios.value,
        ratios.value_precision,
        ratios.place,
        ratios.scope_code,
        ratios.year,
        ratios.period_code,
        identities.denominator_code,
        identities.denominator_basis,
        cast(sum(cast(counts.value as decimal(28, 8))) as double) as numerator,
        count(counts.value) as numerator_count,
        count(*) as identity_count
    from dated as ratios
    inner join identities
        on ratios.measure_code = identities.ratio_code
    left join dated as counts
        on identities.numerator_code = counts.measure_code
        and ratios.scope_code = counts.scope_code
        and ratios.period_code = counts.period_code
    group by
        ratios.subject, ratios.value, ratios.value_precision, ratios.place, ratios.scope_code,
        ratios.year, ratios.period_code, identities.denominator_code, identities.denominator_basis

),

-- A share needs the count of its own date, an average both ends of its year.
denominators as (

    select
        numerators.subject,
        avg(counts.value) as denominator
    from numerators
    inner join dated as counts
        on numerators.denominator_code = counts.measure_code
        and numerators.scope_code = counts.scope_code
        and (
            (
                numerators.denominator_basis = 'same_date'
                and numerators.period_code = counts.period_code
            )
            or (
                numerators.denominator_basis = 'average_of_year'
                and counts.period_code in (
                    cast(numerators.year as {{ dbt.type_string() }}) || '-12-31',
                    cast(numerators.year - 1 as {{ dbt.type_string() }}) || '-12-31'
                )
            )
        )
    group by numerators.subject, numerators.denominator_basis
    having count(*) = case numerators.denominator_basis when 'average_of_year' then 2 else 1 end

),

final as (

    select
        'ratio_vs_counts' as kind,
        'personnel' as domain,
        numerators.subject,
        numerators.value as first_value,
        numerators.place as first_source,
        numerators.numerator / denominators.denominator as second_value,
        'computed from the counts in force' as second_source,
        'first' as chosen,
        'the published share; its base is not stated' as rule
    from numerators
    inner join denominators
        on numerators.subject = denominators.subject
    where
        denominators.denominator > 0
        -- Every part of the numerator is printed.
        and numerators.numerator_count = numerators.identity_count
        and abs(numerators.value - numerators.numerator / denominators.denominator)
        > numerators.value_precision / 2 + 1e-9

)

select * from final
