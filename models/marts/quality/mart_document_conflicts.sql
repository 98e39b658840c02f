with

two_places as (

    select * from {{ ref('int_quality__two_places') }}

),

sums as (

    select * from {{ ref('int_quality__sums') }}

),

budget_identities as (

    select * from {{ ref('int_quality__budget_identities') }}

),

ratios as (

    select * from {{ ref('int_quality__ratios') }}

),

names as (

    select * from {{ ref('int_quality__names') }}

),

numbers as (

    select * from two_places
    union all
    select * from sums
    union all
    select * from budget_identities
    union all
    select * from ratios

),

unioned as (

    select
        kind,
        domain,
        subject,
        first_value,
        cast(null as {{ dbt.type_string() }}) as first_text,
        first_source,
        second_value,
        cast(null as {{ dbt.type_string() }}) as second_text,
        second_source,
        chosen,
        rule
    from numbers

    union all

    select
        kind,
        domain,
        subject,
        cast(null as double) as first_value,
        first_text,
        first_source,
        cast(null as double) as second_value,
        second_text,
        second_source,
        'second' as chosen,
        'one name in the warehouse; others are accepted in deliveries' as rule
    from names

),

final as (

    select
        kind || ':' || subject || ':' || first_source || ':'
        || coalesce(first_text, second_source) as conflict_id,
        kind,
        domain,
        subject,
        first_value,
        first_text,
        first_source,
        second_value,
        second_text,
        second_source,
        first_value - second_value as difference,
        chosen,
        case chosen when 'first' then first_value else second_value end as chosen_value,
        rule
    from unioned

)

select * from final
