-- The feeds whose counters do not agree with their rows, with what the rows say.
SELECT feed.*, found.*, overlaid.*
FROM feed
CROSS JOIN LATERAL (
    SELECT coalesce(max(greatest(created_rev, changed_rev)), 0) AS last,
        coalesce(sum(512 + octet_length(category) + octet_length(action)
            + octet_length(coalesce(content.description, event.description))
            + coalesce(octet_length(coalesce(content.metadata, event.metadata)), 0)), 0) AS bytes,
        (SELECT array_agg((SELECT count(*) FROM event
                           WHERE owner = feed.owner AND severity * 2 + status = kind) ORDER BY kind)
         FROM generate_series(0, 15) AS kind) AS counts
    FROM event LEFT JOIN shared_content AS content ON content.key = event.shared
    WHERE owner = feed.owner
) AS found
CROSS JOIN LATERAL (
    SELECT (SELECT count(*) FROM tombstone WHERE owner = feed.owner) AS deletions,
        (SELECT coalesce(max(deleted_rev), 0) FROM tombstone WHERE owner = feed.owner) AS last_deleted,
        (SELECT coalesce(max(changed_rev), 0) FROM overlay WHERE owner = feed.owner) AS last_overlaid,
        (SELECT array_agg((SELECT count(*) FROM overlay
                           WHERE owner = feed.owner AND severity = number AND status = 1 AND NOT deleted)
                          ORDER BY number)
         FROM generate_series(0, 7) AS number) AS read,
        (SELECT array_agg((SELECT count(*) FROM overlay
                           WHERE owner = feed.owner AND severity = number AND deleted) ORDER BY number)
         FROM generate_series(0, 7) AS number) AS deleted
) AS overlaid
WHERE feed.counts <> found.counts
    OR feed.bytes <> found.bytes
    OR feed.deletions <> overlaid.deletions
    OR feed.overlay_read <> overlaid.read
    OR feed.overlay_deleted <> overlaid.deleted
    OR feed.head < greatest(found.last, last_deleted, last_overlaid)
LIMIT 1
