with

limits as (

    select * from {{ ref('legal_limits') }}

),

final as (

    select
        legal_limit_id,
        measure_code,
        age_from,
        age_to,
        limit_days,
        limit_months,
        valid_from,
        valid_to,
        coalesce(valid_from < {{ as_of_date() }}, true)
        and coalesce(valid_to >= {{ as_of_date() }}, true) as is_valid,
        legal_source
    from limits

)

select * from final
