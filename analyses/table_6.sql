-- Annual report 2021, table 6: expenditure and income of the service entities, 1 000 euros,
-- internal items included, row for row as printed.
with

amounts as (

    select * from {{ ref('mart_service_entity_finance') }}
    where fiscal_year = 2021

),

service_entities as (

    select * from {{ ref('dim_service_entity') }}

),

final as (

    select
        amounts.service_entity_name_fi as palvelukokonaisuus,
        {{ printed_number('cast(amounts.expenditure_amount / 1000 as bigint)') }} as "Menot 2021",
        {{ printed_number('cast(amounts.income_amount / 1000 as bigint)') }} as "Tulot 2021"
    from amounts
    inner join service_entities
        on amounts.service_entity_code = service_entities.service_entity_code
    order by service_entities.sort_order

)

select * from final
