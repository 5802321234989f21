-- ?1: the customer that goes, ?2: the one that stays, ?3: the head of its group or itself, ?4: the day.
UPDATE credit_rule SET replaced = 1
WHERE
    replaced = 0 AND (customer_key = ?1 OR group_key = ?1) AND coalesce(document ->> 'exclude', 0) = 0
    AND coalesce(document ->> 'to', ?4) >= ?4
    AND NOT EXISTS (
        SELECT 1 FROM credit_rule AS k
        WHERE
            k.replaced = 0 AND k.document ->> 'kind' = credit_rule.document ->> 'kind'
            AND coalesce(k.document ->> 'to', ?4) >= ?4
            AND (
                (k.customer_key IS NULL AND k.group_key IS NULL) OR k.group_key = ?3
                OR (credit_rule.group_key IS NULL AND k.customer_key = ?2)
            )
    )
