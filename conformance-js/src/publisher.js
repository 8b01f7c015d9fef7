import { drafts } from "./drafts.js";
import { until } from "./until.js";

/** The pause between two requests, in milliseconds. */
const PAUSE = 20;

/** The number of events that show that publishing goes on. */
const ENOUGH = 5;

/** Publishes one event after the other, each until it is acknowledged, as a careful backend does. */
export class Publisher {
  #api;
  #owner;
  #acknowledged = /** @type {string[]} */ ([]);
  #failures = 0;
  #ending = false;
  #ended;

  /**
   * @param {import("./api.js").Api} api of a caller who may publish to others, and so may choose the ids of events
   * @param {string} owner
   */
  constructor(api, owner) {
    this.#api = api;
    this.#owner = owner;
    this.#ended = this.#publish();
  }

  /** Waits until some more events are acknowledged. */
  async goesOn() {
    const least = this.#acknowledged.length + ENOUGH;
    await until("publishing to go on", () => this.#acknowledged.length >= least, true);
  }

  /** Waits until a request fails. */
  async fails() {
    const before = this.#failures;
    await until("a request to fail", () => this.#failures > before, true);
  }

  /** Ends with an acknowledged event, and returns the ids of all. */
  async end() {
    this.#ending = true;
    await this.#ended;
    return this.#acknowledged;
  }

  async #publish() {
    while (!this.#ending) {
      const [draft] = drafts(1, { owner: this.#owner });
      while (!(await this.#isStored(draft))) {
        await pause();
      }
      this.#acknowledged.push(draft.id);
      await pause();
    }
  }

  /** Whether an event is acknowledged. The same id makes a repeat harmless. */
  async #isStored(draft) {
    try {
      await this.#api.publish(draft);
      return true;
    } catch {
      this.#failures += 1;
      return false;
    }
  }
}

const pause = () => new Promise((resolve) => setTimeout(resolve, PAUSE));
