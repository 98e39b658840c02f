with

service_entities as (

    select * from {{ ref('service_entities') }}

),

final as (

    select
        service_entity_code,
        service_entity_name_fi,
        service_entity_name_sv,
        service_entity_name_en,
        valid_from,
        valid_to,
        sort_order
    from service_entities

)

select * from final
