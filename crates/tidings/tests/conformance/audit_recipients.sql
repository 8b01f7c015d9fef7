-- The contents and audiences whose numbers do not agree with the events, and the events without their contents.
SELECT 'content', key FROM shared_content
WHERE rows <> (SELECT count(*) FROM event WHERE shared = shared_content.key)
    OR (rows = 0 AND NOT EXISTS (SELECT FROM audience WHERE content = shared_content.key))
UNION ALL
SELECT 'audience', id FROM audience
WHERE members <> (SELECT count(*) FROM event WHERE event.id = audience.id
                  AND event.system_id = audience.system_id AND shared IS NOT NULL)
    OR (members = 0 AND (retracted_at IS NULL OR content IS NOT NULL))
    OR (members > 0 AND NOT EXISTS (SELECT FROM shared_content WHERE key = audience.content))
UNION ALL
SELECT 'event', id FROM event
WHERE (shared <> '00000000-0000-0000-0000-000000000000'
       AND NOT EXISTS (SELECT FROM shared_content WHERE key = event.shared))
    OR (shared IS NOT NULL AND NOT EXISTS (SELECT FROM audience WHERE audience.id = event.id
                                           AND audience.system_id = event.system_id))
LIMIT 1
