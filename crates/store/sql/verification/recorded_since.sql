-- ?1: the last document before a file, ?2: the last payment before it.
-- Gives of the documents since, then of the payments: [key before the first, key of the last, number, control sum]. The
-- sum weighs amounts by key, so that two that changed places are told apart, and stays within 64 bits for any file. What
-- verification/documents_noted.sql sums is the same.
SELECT
    json_array(
        (
            SELECT
                json_array(
                    ?1, coalesce(max(key), ?1), count(*), coalesce(sum((amount_minor % 1000003) * (key % 8191 + 1)), 0)
                )
            FROM invoice NOT INDEXED
            WHERE key > ?1
        ),
        (
            SELECT
                json_array(
                    ?2, coalesce(max(key), ?2), count(*), coalesce(sum((amount_minor % 1000003) * (key % 8191 + 1)), 0)
                )
            FROM payment NOT INDEXED
            WHERE key > ?2
        )
    )
