-- The lists are filled.
DROP INDEX event_by_created_rev;
DROP TABLE listing;
