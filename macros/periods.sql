{#
    Periods as units write them: `2021`, `2021-06`, `2021-Q2`. Ingest has checked the form, so
    these only take it apart.
#}

{% macro period_grain(period) %}
    case
        when length({{ period }}) = 4 then 'year'
        when {{ period }} like '%-Q%' then 'quarter'
        else 'month'
    end
{% endmacro %}

{% macro period_start_date(period) %}
    cast(
        substring({{ period }}, 1, 4)
        || case
            when length({{ period }}) = 4 then '-01'
            when {{ period }} like '%-Q1' then '-01'
            when {{ period }} like '%-Q2' then '-04'
            when {{ period }} like '%-Q3' then '-07'
            when {{ period }} like '%-Q4' then '-10'
            else substring({{ period }}, 5, 3)
        end
        || '-01' as date
    )
{% endmacro %}

{# Last day of a period that starts on `start_date` and has the grain `grain`. #}
{% macro period_end_date(start_date, grain) %}
    case {{ grain }}
        when 'year' then {{ dbt.dateadd('day', -1, dbt.dateadd('year', 1, start_date)) }}
        when 'quarter' then {{ dbt.dateadd('day', -1, dbt.dateadd('month', 3, start_date)) }}
        else {{ dbt.dateadd('day', -1, dbt.dateadd('month', 1, start_date)) }}
    end
{% endmacro %}
