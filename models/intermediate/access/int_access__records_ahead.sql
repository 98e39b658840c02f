{#-
    Days that blocks of a version are dated by. A cancellation without a time is dated by its slot
    or by the version: both are listed, at worst a record is computed once more.
-#}
{%- set block_dates = [
    'contact_date',
    'assessed_date',
    'booked_date',
    'visit_date',
    'cancelled_date',
    'case when cancel_reason_code is not null then booked_for_date end',
    'case when cancel_reason_code is not null then record_updated_date end',
] -%}

-- depends_on: {{ ref('int_access__changed_records') }}
with

new_deliveries as (

    select delivery_id
    from {{ ref('stg_ledger__deliveries') }}
    where is_new

),

-- Few records: the many are read once.
ahead as (

    select * from {{ ref('stg_care_events__records') }}
    where
        (
            {% for block_date in block_dates -%}
            {{ 'or ' if not loop.first }}{{ block_date }} >= {{ as_of_date() }}
            {% endfor -%}
        )
        and delivery_id in (select new_deliveries.delivery_id from new_deliveries)

),

final as (

    {% for block_date in block_dates -%}
    select
        record_id,
        record_updated_at,
        {{ block_date }} as block_date
    from ahead
    where {{ block_date }} >= {{ as_of_date() }}
    {% if not loop.last %}
    union

    {% endif %}
    {%- endfor %}
    {%- if not recomputes_all() %}
    union

    select
        record_id,
        record_updated_at,
        block_date
    from {{ built_before('int_access__records_ahead', 'intermediate') }}
    where block_date >= {{ as_of_date() }}
    {%- endif %}

)

select * from final
