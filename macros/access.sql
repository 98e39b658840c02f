{#
    What the access measures share: which there are, and how shares are shown. Their limits, modes,
    outcomes and targets are seeds (`seeds/access/access_measure*.csv`).
#}

{# The measures of access in the order of `fct_waiting_times`' columns. #}
{% macro access_measures() %}
    {{ return([
        'first_contact_resolution',
        'urgent_same_or_next_day',
        'non_urgent_within_10_days',
        'dental_within_90_days',
    ]) }}
{% endmacro %}

{# Those that wait for care: at most one of them holds a need. #}
{% macro wait_measures() %}
    {{ return([
        'urgent_same_or_next_day', 'non_urgent_within_10_days', 'dental_within_90_days',
    ]) }}
{% endmacro %}

{# What `fct_waiting_times` says of a need by measure. #}
{% macro state_columns() %}
    {%- set columns = [] -%}
    {%- for measure in access_measures() -%}
        {%- do columns.extend([measure ~ '_state', measure ~ '_exclusion_reason']) -%}
    {%- endfor -%}
    {{ return(columns) }}
{% endmacro %}

{#
    A measure's state in the cohort order of KPI rule 4, for measures that wait: pending until the
    limit has run out, met, excluded by rule 6, missed.
#}
{% macro wait_state(limit_date, first_care_date, reason, reason_date) %}
    case
        when {{ as_of_date() }} <= {{ limit_date }} then 'pending'
        when {{ first_care_date }} <= {{ limit_date }} then 'met'
        when
            {{ first_care_date }} is null
            and {{ reason }} is not null
            and {{ reason_date }} <= {{ limit_date }}
            then 'excluded'
        else 'missed'
    end
{% endmacro %}

{# A share of nothing is null. #}
{% macro share_of(part, whole) %}
    case when {{ whole }} > 0 then cast({{ part }} as double) / {{ whole }} end
{% endmacro %}

{#
    A bound of the 95 % Wilson interval of a share (E. B. Wilson 1927): `-` the lower, `+` the upper.
    A share lies within its interval, also where rounding would put a bound of 0 a hair above it.
#}
{% macro wilson_bound(sign, part, whole) %}
    {%- set z = '1.959963984540054e0' -%}
    {%- set rate = 'cast(' ~ part ~ ' as double) / ' ~ whole -%}
    case
        when {{ whole }} > 0 then
            {{ 'greatest(0e0, least(' if sign == '-' else 'least(1e0, greatest(' }}
                {{ rate }},
                (
                    {{ rate }} + {{ z }} * {{ z }} / (2 * {{ whole }})
                    {{ sign }} {{ z }} * sqrt(
                        ({{ rate }}) * (1 - {{ rate }}) / {{ whole }}
                        + {{ z }} * {{ z }} / (4e0 * {{ whole }} * {{ whole }})
                    )
                ) / (1 + {{ z }} * {{ z }} / {{ whole }})
            ))
    end
{% endmacro %}

{# Scopes that measures are published for: type -> column of `int_access__cases` that names them. #}
{% macro access_scopes() %}
    {{ return({
        'city': "'ALL'",
        'area': "coalesce(area_code, 'unknown')",
        'unit': "coalesce(unit_id, 'unknown')",
        'producer_type': "coalesce(producer_type, 'unknown')",
    }) }}
{% endmacro %}
