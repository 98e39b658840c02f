-- depends_on: {{ ref('fct_care_events') }}
-- A known code outside its validity on its own date is loaded and reported.
select
    record_id,
    delivery_id,
    column_name,
    code,
    code_date
from {{ ref('int_access__invalid_codes') }}
