with

records as (

    select * from {{ ref('fct_care_events') }}

),

changed_needs as (

    select * from {{ ref('int_access__changed_needs') }}

),

final as (

    select * from records
    where
        care_need_id in (select changed_needs.care_need_id from changed_needs)
        {%- if recomputes_all() %}
        and false
        {%- endif %}

)

-- The columns are those of the fact, whichever they are.
select * from final  -- noqa: AM04
