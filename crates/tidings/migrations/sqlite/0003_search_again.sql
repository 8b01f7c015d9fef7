-- The filters of blocks have another hash: the index for searching is made anew, in the background.
-- Until then searches read the events themselves.
DELETE FROM search_block;
UPDATE feed SET searched_rev = 0;
