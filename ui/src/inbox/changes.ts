import type { Client } from "../api/client.js";
import type { ApiError } from "../api/error.js";
import { type Event, eventKey } from "../api/event.js";
import type { Status } from "../api/schema.js";
import type { Extent } from "./extent.js";
import type { Line } from "./lines.js";
import type { Removal } from "./removals.js";
import type { Rows } from "./rows.js";
import type { Steps } from "./steps.js";
import type { Work } from "./work.js";

/** A request that failed: for the list, or for a change. */
export interface Fault {
  readonly error: ApiError;
  readonly unchanged: Unchanged | undefined;
}

/** What changes of a reader need from their inbox. */
export interface Changed {
  readonly client: Client;
  readonly rows: Rows;
  readonly steps: Steps;
  readonly work: Work;
  readonly lines: () => readonly Line[];
  /** Loads the list again, after a change by filter. */
  readonly load: () => Promise<void>;
  readonly refresh: () => void;
  readonly failed: (error: unknown, unchanged: Unchanged) => void;
}

/** A change that the server did not make. */
export interface Unchanged {
  readonly wanted: "mark" | "delete";
  readonly count: number;
  /** The line that represents the change. */
  readonly first: Event | undefined;
  readonly again: () => void;
}

/** Sends the marks and deletions of a reader, and shows them before the stream reports them. */
export class Changes {
  readonly #of: Changed;

  constructor(changed: Changed) {
    this.#of = changed;
  }

  /** Marks the events of a line. */
  async mark(extent: Extent, status: Status): Promise<void> {
    if (extent.count > 0) {
      try {
        await this.#of.client.mark(extent.selection, status);
        this.#marked(extent, status);
      } catch (error) {
        this.#of.failed(error, this.#unmarked(extent, () => void this.mark(extent, status)));
      }
    }
  }

  /** Marks a selection, with progress, and loads the list again if the selection was a filter. */
  async markMany(extent: Extent, status: Status): Promise<void> {
    const { client, work, load, refresh, failed } = this.#of;
    const mark = async (): Promise<void> => {
      await client.mark(extent.selection, status);
      if ("keys" in extent.selection) {
        this.#marked(extent, status);
      } else {
        await load();
      }
      refresh();
    };
    const unmarked = this.#unmarked(extent, () => void this.markMany(extent, status));
    await work.add(status, extent.count, () => mark().catch((error: unknown) => failed(error, unmarked)));
  }

  /** Sends a deletion; `again` starts it once more. A page that is being left cannot wait for the response. */
  async remove({ extent, first }: Removal, leaving: boolean, again: () => void): Promise<void> {
    const { client, work, load, refresh, rows, steps, failed } = this.#of;
    const { selection } = extent;
    const remove = async (): Promise<void> => {
      await client.remove(selection, leaving);
      if ("keys" in selection) {
        const removed = selection.keys.map((key) => [key]);
        rows.remove(removed);
        steps.remove(removed);
      } else if (!leaving) {
        await load();
      }
      refresh();
    };
    const attempt = (): Promise<void> =>
      remove().catch((error: unknown) => {
        failed(error, { wanted: "delete", count: extent.count, first, again });
      });
    // A single event needs no progress display.
    await (leaving || extent.count === 1 ? attempt() : work.add("delete", extent.count, attempt));
  }

  #unmarked(extent: Extent, again: () => void): Unchanged {
    const first = this.#of.lines().find(({ steps }) => steps.some((step) => extent.has(step)))?.event;
    return { wanted: "mark", count: extent.count, first, again };
  }

  #marked(extent: Extent, status: Status): void {
    const { rows, steps, lines, refresh } = this.#of;
    const further: readonly Event[] = lines().flatMap((line) => line.steps);
    const marked = [...rows.events, ...further]
      .filter((event) => extent.has(event))
      .map((event) => [eventKey(event)]);
    const now = new Date().toISOString();
    rows.mark(marked, status, now);
    steps.mark(marked, status, now);
    refresh();
  }
}
