import assert from "node:assert/strict";

import { sortedById } from "./inbox.js";

/**
 * Waits until every follower has caught up with the server and checks that each agrees with the list
 * and the summary. No change may happen meanwhile.
 *
 * @param {import("./api.js").Api} api
 * @param {import("./follower.js").Follower[]} followers
 * @param {number[]} [lives] the minimum number of times each must have become live
 */
export async function agree(api, followers, lives = []) {
  const summary = await api.summary();
  await Promise.all(followers.map((follower, i) => follower.reaches(summary.cursor, lives[i])));
  const list = await api.list();
  assert.equal(list.cursor, summary.cursor, "something changed meanwhile");
  assert.equal(list.totalCount, list.events.length);
  assert.equal(summary.totalCount, list.events.length);
  assert.equal(list.readCount, summary.readCount);
  const listed = sortedById(list.events);
  for (const { inbox } of followers) {
    inbox.settle();
    assert.deepEqual(inbox.sorted(), listed);
    assert.deepEqual(inbox.counts, { unread: summary.unread, read: summary.read });
  }
  return list;
}

/**
 * Checks that the counts of followers equal those of summaries at the same cursor;
 * returns the number of comparisons.
 *
 * @param {any[]} summaries
 * @param {import("./follower.js").Follower[]} followers
 */
export function compareCounts(summaries, followers) {
  let compared = 0;
  for (const { inbox } of followers) {
    for (const { cursor, unread, read } of summaries) {
      const counts = inbox.history.get(cursor);
      if (counts) {
        assert.deepEqual(counts, { unread, read }, `the counts at ${cursor}`);
        compared += 1;
      }
    }
  }
  return compared;
}
