-- Rows in = loaded + duplicates + quarantined + refused; unknown only where a delivery is refused.
with

deliveries as (

    select * from {{ ref('stg_ledger__deliveries') }}

),

final as (

    select
        delivery_id,
        outcome,
        rows_in_count,
        rows_loaded_count,
        rows_duplicate_count,
        rows_quarantined_count,
        rows_refused_count
    from deliveries
    where
        (rows_in_count is null and outcome <> 'refused')
        or (
            rows_in_count is not null
            and rows_in_count
            <> rows_loaded_count
            + rows_duplicate_count
            + rows_quarantined_count
            + coalesce(rows_refused_count, 0)
        )

)

select * from final
