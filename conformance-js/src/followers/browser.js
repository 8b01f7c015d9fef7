import { FRAME_NAMES, Follower } from "../follower.js";

/** A browser's `EventSource`, on a page of the server's origin. */
export class BrowserFollower extends Follower {
  #page;
  #isDisposed = false;

  /**
   * @param {import("playwright-core").Page} page
   * @param {string} url
   */
  constructor(page, url) {
    super(`the browser from ${url}`);
    this.#page = page;
  }

  /**
   * Opens the server's page and follows the stream from there.
   *
   * @param {import("playwright-core").BrowserContext} context
   * @param {string} url
   */
  static async begin(context, url) {
    const page = await context.newPage();
    await page.goto(new URL("/", url).href);
    await page.evaluate(follow, { url, names: FRAME_NAMES });
    const follower = new BrowserFollower(page, url);
    follower.#read().catch((error) => follower.#isDisposed || follower.fail(error));
    return follower;
  }

  /** The state of the `EventSource`. */
  async readyState() {
    return this.#page.evaluate(() => globalThis.stream.readyState);
  }

  async dispose() {
    this.#isDisposed = true;
    await this.#page.close();
  }

  async #read() {
    for (;;) {
      for (const frame of await this.#page.evaluate(() => globalThis.takeFrames())) {
        if (frame.name === "closed") {
          throw new Error("gave up");
        }
        this.receive(frame);
      }
    }
  }
}

/** Runs in the page: buffers frames until they are read. */
function follow({ url, names }) {
  const stream = new EventSource(url);
  const frames = [];
  let wake = () => {};
  const keep = (frame) => {
    frames.push(frame);
    wake();
  };
  for (const name of names) {
    stream.addEventListener(name, ({ data, lastEventId }) =>
      keep({ name, data, cursor: lastEventId }),
    );
  }
  stream.addEventListener("error", () => {
    if (stream.readyState === EventSource.CLOSED) {
      keep({ name: "closed" });
    }
  });
  globalThis.stream = stream;
  globalThis.takeFrames = async () => {
    if (frames.length === 0) {
      await new Promise((resolve) => {
        wake = resolve;
      });
    }
    return frames.splice(0);
  };
}
