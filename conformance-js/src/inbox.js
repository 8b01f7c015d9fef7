import assert from "node:assert/strict";

/** @typedef {import("./sse.js").Frame} Frame */
/** @typedef {{unread: Record<string, number>, read: Record<string, number>}} Counts */

/**
 * A client-side inbox that is built only from the frames of the stream by the rules
 * of `docs/streaming.md`. A frame that violates a rule throws.
 */
export class Inbox {
  /** @type {Map<string, any>} */
  events = new Map();

  /** The counts from `live` and later deltas; `null` while unknown. */
  counts = /** @type {Counts | null} */ (null);

  /** The counts at every cursor where they were known. */
  history = /** @type {Map<string, Counts>} */ (new Map());

  /** The current cursor. */
  cursor = "";

  /** The number of `live` frames. */
  lives = 0;

  /** The reasons of all `reset` frames. */
  resets = /** @type {string[]} */ ([]);

  /** Frames buffered until the list arrives after a reset; `null` if no list is pending. */
  #waiting = /** @type {Frame[] | null} */ (null);

  /** Events of a list that the stream can repeat. */
  #again = new Set();

  /**
   * Whether the events correspond to `cursor` and thus to `counts`. A replay and a list show current
   * events, which can be ahead of the cursor.
   */
  #isSettled = false;

  /**
   * Applies a frame.
   *
   * @param {Frame} frame
   */
  apply(frame) {
    if (this.#waiting && frame.name !== "reset") {
      this.#waiting.push(frame);
      return;
    }
    const data = JSON.parse(frame.data);
    switch (frame.name) {
      case "ready":
        assert.equal(data.cursor, frame.cursor);
        this.counts = null;
        this.#isSettled = false;
        break;
      case "reset":
        assert.equal(data.cursor, frame.cursor);
        this.counts = null;
        this.#isSettled = false;
        this.history.clear();
        this.events.clear();
        this.resets.push(data.reason);
        this.#waiting = [];
        break;
      case "message":
        this.#create(data);
        break;
      case "status":
        this.#mark(data);
        break;
      case "deleted":
        this.#delete(data);
        break;
      case "live":
        assert.equal(data.cursor, frame.cursor);
        this.counts = data.summary;
        this.lives += 1;
        break;
      default:
        assert.fail(`no frame is called ${frame.name}`);
    }
    this.cursor = frame.cursor;
    if (this.counts) {
      this.#check(`the counts after ${JSON.stringify(frame)}`);
    }
  }

  /**
   * Declares that the server is idle at this cursor: the events match the counts
   * and keep matching with each frame until the stream is resumed.
   */
  settle() {
    this.#isSettled = true;
    this.#check(`the counts at rest`);
  }

  /**
   * Adopts the list after a reset and applies the frames received since.
   *
   * @param {{events: any[]}} list
   */
  adopt(list) {
    const frames = this.#waiting;
    assert(frames, "no list is awaited");
    this.#waiting = null;
    for (const event of list.events) {
      this.events.set(event.id, event);
      this.#again.add(event.id);
    }
    for (const frame of frames) {
      this.apply(frame);
    }
  }

  /** The events in a canonical order. */
  sorted() {
    return sortedById(this.events.values());
  }

  toString() {
    const { cursor, lives, resets } = this;
    return `at ${cursor}, live ${lives} times, reset by [${resets}]`;
  }

  #create(event) {
    const isNew = !this.events.has(event.id) || this.#again.delete(event.id);
    assert(isNew, `event ${event.id} came twice`);
    this.events.set(event.id, event);
    if (this.counts) {
      add(this.counts[event.status], event.severity, 1);
    }
  }

  #mark(change) {
    for (const id of change.ids) {
      const event = this.events.get(id);
      if (event) {
        this.events.set(id, { ...event, status: change.status, updatedAt: change.updatedAt });
      } else {
        assert(!this.#isSettled, `event ${id} changed and had not come`);
      }
    }
    this.#count(change);
  }

  #delete(deletion) {
    for (const id of deletion.ids) {
      this.events.delete(id);
    }
    this.#count(deletion);
  }

  #count({ unread, read }) {
    if (!this.counts) {
      assert.deepEqual({ unread, read }, { unread: undefined, read: undefined }, "counts too early");
      return;
    }
    for (const [status, deltas] of Object.entries({ unread, read })) {
      for (const [severity, by] of Object.entries(deltas)) {
        add(this.counts[status], severity, by);
      }
    }
  }

  /** @param {string} when */
  #check(when) {
    const before = this.history.get(this.cursor);
    if (before) {
      assert.deepEqual(this.counts, before, `${when}, compared with those before at this cursor`);
    }
    this.history.set(this.cursor, structuredClone(this.counts));
    if (this.#isSettled) {
      assert.deepEqual(this.counts, this.#recount(), when);
    }
  }

  /** @returns {Counts} */
  #recount() {
    const counts = { unread: {}, read: {} };
    for (const event of this.events.values()) {
      add(counts[event.status], event.severity, 1);
    }
    return counts;
  }
}

/** @param {Iterable<any>} events */
export function sortedById(events) {
  return [...events].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * @param {Record<string, number>} counts
 * @param {string} severity
 * @param {number} by
 */
function add(counts, severity, by) {
  const after = (counts[severity] ?? 0) + by;
  assert(after >= 0, `${severity} went below zero`);
  if (after === 0) {
    delete counts[severity];
  } else {
    counts[severity] = after;
  }
}
