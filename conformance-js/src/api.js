import { soon } from "./soon.js";

/** A small page size, so that the list has many pages. */
const PAGE_SIZE = 100;

/** An unexpected response. */
export class ApiError extends Error {
  /**
   * @param {string} request
   * @param {number} status
   * @param {string} body
   */
  constructor(request, status, body) {
    super(`${request} was answered with ${status}: ${body}`);
    this.status = status;
  }
}

/** A client for the HTTP API calls of the tests. */
export class Api {
  #base;
  #origin;
  #headers;

  /**
   * @param {string} origin
   * @param {string} [token] the access token if the server requires a login
   */
  constructor(origin, token) {
    this.#origin = origin;
    this.#base = `${origin}/api/system/events`;
    this.#headers = token ? { authorization: `Bearer ${token}` } : {};
  }

  /** The address of the stream. */
  get streamUrl() {
    return `${this.#base}/subscribe`;
  }

  /** @param {string} id */
  get(id) {
    return this.#call("GET", `/${id}`);
  }

  /** @param {object | object[]} drafts */
  publish(drafts) {
    return this.#call("POST", "", drafts);
  }

  /**
   * @param {string} id
   * @param {"read" | "unread"} status
   */
  mark(id, status) {
    return this.#call("PUT", `/status/${id}`, { status });
  }

  /** @param {object} change `ids`, `filter` with `upTo` or `all`, and `status` */
  markMany(change) {
    return this.#call("PUT", "/status/bulk", change);
  }

  /** @param {string} id */
  delete(id) {
    return this.#call("DELETE", `/${id}`);
  }

  /** @param {object} selection `ids`, `filter` with `upTo` or `all` */
  deleteMany(selection) {
    return this.#call("DELETE", "/bulk", selection);
  }

  summary() {
    return this.#call("GET", "/summary");
  }

  /** The number of live streams; with a login, reading it requires an administrator's token. */
  async streams() {
    const answer = await soon("GET /metrics", fetch(`${this.#origin}/metrics`, { headers: this.#headers }));
    const [, number] = (await answer.text()).match(/^tidings_subscribers (\d+)$/m) ?? [];
    return Number(number);
  }

  /** Lists every event page by page, with the cursor and counts of the first page. */
  async list() {
    const query = new URLSearchParams({
      sort: "created_at",
      order: "desc",
      pagesize: String(PAGE_SIZE),
    });
    const first = await this.#call("GET", `?${query}`);
    const events = [...first.events];
    for (let { next } = first; next; ) {
      query.set("next", next);
      const page = await this.#call("GET", `?${query}`);
      events.push(...page.events);
      next = page.next;
    }
    return { ...first, events };
  }

  async #call(method, path, body) {
    const request = fetch(this.#base + path, {
      method,
      headers: { ...this.#headers, ...(body && { "content-type": "application/json" }) },
      body: body && JSON.stringify(body),
    });
    const response = await soon(`${method} ${path}`, request);
    const text = await soon(`${method} ${path}`, response.text());
    if (!response.ok) {
      throw new ApiError(`${method} ${path}`, response.status, text);
    }
    return text === "" ? undefined : JSON.parse(text);
  }
}
