-- check_ins_missed
-- Arranged walks, of an officer where one is named, whose officers were to say by now that they are back; longest first.
SELECT w.* FROM walk AS w
WHERE w.force_id = $1 AND w.state = 'arranged' AND w.check_in_at <= $2
    AND ($3::text IS NULL OR w.officer_id = $3 OR w.second_officer_id = $3)
    AND NOT EXISTS (
        SELECT FROM request AS r WHERE r.force_id = w.force_id AND r.walk_id = w.id
            AND r.contact -> 'excluded_officers' ? $4 OFFSET 0
    )
ORDER BY w.check_in_at, w.id LIMIT $5 OFFSET $6;

-- check_ins_missed_counted
-- How many there are; for metrics.
SELECT force_id, count(*) AS many FROM walk
WHERE state = 'arranged' AND check_in_at <= $1 GROUP BY force_id;
