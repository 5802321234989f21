-- ?1: the customer that goes, ?2: the one that stays, ?3: the head of its group or itself, ?4: the day.
-- Of a rule for all that asks the same no more strictly it takes the place without anybody being bound by less.
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
                (
                    k.customer_key IS NULL AND k.group_key IS NULL
                    AND NOT (
                        instr('warn hold forced-hold', coalesce(k.document ->> 'verdict', 'hold'))
                        <= instr('warn hold forced-hold', coalesce(credit_rule.document ->> 'verdict', 'hold'))
                        AND coalesce(k.document ->> '$.amount.minor', 0)
                        >= coalesce(credit_rule.document ->> '$.amount.minor', 0)
                        AND coalesce(CAST(k.document ->> 'more_than' AS REAL), -1)
                        >= coalesce(CAST(credit_rule.document ->> 'more_than' AS REAL), -1)
                        AND (k.document ->> 'more_than' IS NULL) = (credit_rule.document ->> 'more_than' IS NULL)
                        AND json_remove(
                            k.document, '$.verdict', '$.amount.minor', '$.more_than', '$.from', '$.to', '$.reason',
                            '$.customer', '$.group', '$.exclude'
                        ) = json_remove(
                            credit_rule.document, '$.verdict', '$.amount.minor', '$.more_than', '$.from', '$.to',
                            '$.reason', '$.customer', '$.group', '$.exclude'
                        )
                    )
                )
                OR k.group_key = ?3
                OR (credit_rule.group_key IS NULL AND k.customer_key = ?2)
            )
    )
