{#
    Fails on a delivery whose rows in a staging model are not as many as its ledger entry says are
    loaded: a row is lost, read twice, or of a delivery that the ledger does not know.

    Every staging model of a source has this test. `source` is the source's name in the ledger.
#}
{% test rows_of_the_ledger(model, source) %}

with

deliveries as (

    select
        delivery_id,
        rows_loaded_count
    from {{ ref('stg_ledger__deliveries') }}
    where source_name = '{{ source }}'

),

staged as (

    select
        delivery_id,
        count(*) as staged_row_count
    from {{ model }}
    group by delivery_id

)

select
    coalesce(deliveries.delivery_id, staged.delivery_id) as delivery_id,
    deliveries.rows_loaded_count,
    coalesce(staged.staged_row_count, 0) as staged_row_count
from deliveries
full outer join staged
    on deliveries.delivery_id = staged.delivery_id
where coalesce(deliveries.rows_loaded_count, -1) <> coalesce(staged.staged_row_count, 0)

{% endtest %}
