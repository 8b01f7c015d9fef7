import type { Selection } from "../api/client.js";
import { ApiError } from "../api/error.js";
import { type EventFilter, changeFilterOf, isEmpty } from "../api/filter.js";
import type { Cursor, Status } from "../api/schema.js";
import { totalOf } from "../stream/counts.js";
import type { Frame } from "../stream/frame.js";
import { Choice } from "./choice.js";
import { type Line, linesOf } from "./lines.js";
import { type Removal, Removals } from "./removals.js";
import { Rows } from "./rows.js";
import type { Session } from "./session.js";
import { Work } from "./work.js";

/** Events a page. */
const PAGE = 100;

/** The most that is loaded anew at once where more was loaded. */
const MAX_PAGE = 1_000;

/** How long changes are gathered before the screen follows, in milliseconds; longer for long lists. */
const [GATHER, GATHER_LONG] = [16, 120];
const LONG = 5_000;

/** How long a line counts as having just come, in milliseconds. */
const NEW = 1_000;

/** How the list stands. */
export type Loading = "first" | "more" | "idle" | "failed";

/** An inbox as one reader looks at it: a filter, the lines that match, what is selected and under way. */
export class Inbox {
  readonly session: Session;
  readonly choice = new Choice();
  readonly removals: Removals;
  readonly work: Work;
  readonly #rows = new Rows();
  readonly #changed: () => void;
  readonly #newIds = new Set<string>();
  readonly #openOperations = new Set<string>();
  #leave: (() => void) | undefined;
  #filter: EventFilter = {};
  #loading: Loading = "first";
  #error: ApiError | undefined;
  #next: string | undefined;
  #isAtTop = true;
  #lines: readonly Line[] | undefined;
  /** How far the list on screen is; a change by filter goes so far and no further. */
  #shownUpTo: Cursor | undefined;
  #request = new AbortController();
  /** What the stream says while a list is on its way, which may be older than that. */
  #meanwhile: Frame[] | undefined;
  #telling: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, changed: () => void) {
    this.session = session;
    this.#changed = changed;
    const tell = (): void => this.#tell();
    const failed = (error: ApiError): void => this.#fail(error);
    this.removals = new Removals(
      (removal, leaving) => this.#sendRemoval(removal, leaving),
      () => this.#refresh(),
    );
    this.work = new Work(tell, failed);
  }

  get filter(): EventFilter {
    return this.#filter;
  }

  get loading(): Loading {
    return this.#loading;
  }

  /** What went wrong last, until something goes well or it is dismissed. */
  get error(): ApiError | undefined {
    return this.#error;
  }

  get hasMore(): boolean {
    return this.#rows.hasMore;
  }

  /** How many new events wait above. */
  get held(): number {
    return this.#rows.held;
  }

  /** What is on screen, the newest first. */
  get lines(): readonly Line[] {
    this.#lines ??= linesOf(
      this.#rows.events.filter((event) => !this.removals.hides(event.id)),
      this.#openOperations,
    );
    return this.#lines;
  }

  /** How many events match, as exactly as can be known. */
  get total(): number | undefined {
    const { counts } = this.session;
    const { severity, status, ...others } = this.#filter;
    if (!counts || !isEmpty(others)) {
      return this.#rows.total;
    }
    const statuses: readonly Status[] = status ? [status] : ["unread", "read"];
    const count = (in_status: Status): number =>
      severity?.length
        ? severity.reduce((sum, each) => sum + (counts[in_status][each] ?? 0), 0)
        : totalOf(counts[in_status]);
    return statuses.reduce((sum, each) => sum + count(each), 0);
  }

  /** Lists and follows, until {@link close}. */
  open(filter: EventFilter): void {
    this.#leave ??= this.session.listen({
      frame: (frame) => this.#take(frame),
      changed: () => this.#tell(),
      reload: () => void this.#load(),
    });
    this.#filter = filter;
    void this.#load();
  }

  close(): void {
    // The page stays, so there is time for an answer.
    this.removals.flush(false);
    this.#request.abort();
    this.#leave?.();
    this.#leave = undefined;
  }

  /** Lists what matches another filter. */
  show(filter: EventFilter): void {
    this.#filter = filter;
    this.choice.clear();
    void this.#load(false);
  }

  /** Loads the next page, if there is one. */
  async more(): Promise<void> {
    if (this.#loading !== "idle" || !this.#next) {
      return;
    }
    this.#loading = "more";
    this.#tell();
    const { signal } = this.#request;
    try {
      const options = { next: this.#next, size: PAGE, signal };
      const page = await this.session.client.list(this.#filter, options);
      this.#next = page.next;
      this.#rows.append(page.events);
      this.#rows.hasMore = page.next !== undefined;
      this.#loading = "idle";
      this.#refresh();
    } catch (error) {
      this.#loadingFailed(error, signal);
    }
  }

  /** Tries again what has failed: the next page, or all of it. */
  async retry(): Promise<void> {
    this.#error = undefined;
    if (this.#rows.events.length > 0 && this.#next) {
      this.#loading = "idle";
      await this.more();
    } else {
      await this.#load();
    }
  }

  /** Sends the deletions that can still be undone, and waits until all are answered. */
  async settle(): Promise<void> {
    await this.removals.settle();
  }

  /** Whether the newest line is on screen: only then new ones are shown at once. */
  set isAtTop(isAtTop: boolean) {
    this.#isAtTop = isAtTop;
    if (isAtTop && this.#rows.held > 0) {
      this.release();
    }
  }

  /** Shows the new events that wait above. */
  release(): void {
    this.#rows.release();
    this.#shownUpTo = this.session.cursor;
    this.#refresh();
  }

  /** Shows or hides the older events of an operation. */
  toggleOperation(operationId: string): void {
    if (!this.#openOperations.delete(operationId)) {
      this.#openOperations.add(operationId);
    }
    this.#refresh();
  }

  /** Whether an event came a moment ago, while one looked on. */
  isNew(id: string): boolean {
    return this.#newIds.has(id);
  }

  isOperationOpen(operationId: string): boolean {
    return this.#openOperations.has(operationId);
  }

  async mark(ids: readonly string[], status: Status): Promise<void> {
    const changing = ids.filter((id) => this.#rows.get(id)?.status !== status);
    if (changing.length === 0) {
      return;
    }
    try {
      await this.session.client.mark({ ids: changing }, status);
      this.#rows.mark(changing, status, new Date().toISOString());
      this.#refresh();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Hides events, and deletes them when it is not undone in time. */
  remove(ids: readonly string[]): void {
    if (ids.length > 0) {
      this.choice.forget(ids);
      this.removals.add({ selection: { ids }, count: ids.length, hidden: new Set(ids) });
      this.#refresh();
    }
  }

  /** Marks all that is selected. */
  async markChosen(name: string, status: Status): Promise<void> {
    const { selection, count } = this.#chosen();
    this.choice.clear();
    await this.work.add(name, count, async () => {
      await this.session.client.mark(selection, status);
      if ("ids" in selection) {
        this.#rows.mark(selection.ids, status, new Date().toISOString());
      } else {
        await this.#load();
      }
      this.#refresh();
    });
  }

  /** Deletes all that is selected, when it is not undone in time. */
  removeChosen(): void {
    const { selection, count } = this.#chosen();
    this.choice.clear();
    const hidden = "ids" in selection ? selection.ids : this.#rows.events.map(({ id }) => id);
    this.removals.add({ selection, count, hidden: new Set(hidden) });
    this.#refresh();
  }

  dismissError(): void {
    this.#error = undefined;
    this.#tell();
  }

  #chosen(): { selection: Selection; count: number } {
    if (this.choice.isAll && this.#shownUpTo) {
      const selection = { filter: changeFilterOf(this.#filter), upTo: this.#shownUpTo };
      return { selection, count: this.total ?? this.#rows.events.length };
    }
    const { ids } = this.choice;
    return { selection: { ids }, count: ids.length };
  }

  async #sendRemoval({ selection, count }: Removal, leaving: boolean): Promise<void> {
    const remove = async (): Promise<void> => {
      await this.session.client.remove(selection, leaving);
      if ("ids" in selection) {
        this.#rows.remove(selection.ids);
      } else if (!leaving) {
        await this.#load();
      }
      this.#refresh();
    };
    if (leaving || count === 1) {
      // What goes with the page cannot wait, and one is no work to speak of.
      await remove().catch((error: unknown) => this.#fail(error));
    } else {
      await this.work.add("delete", count, remove);
    }
  }

  /** Lists from the newest; with `keep` as many as are loaded. */
  async #load(keep = true): Promise<void> {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const loaded = keep ? this.#rows.events.length : 0;
    const size = Math.min(Math.max(PAGE, loaded), MAX_PAGE);
    const filter = this.#filter;
    const meanwhile: Frame[] = [];
    this.#meanwhile = meanwhile;
    this.#loading = "first";
    this.#tell();
    try {
      const list = () => this.session.client.list(filter, { size, signal });
      const page = await this.session.ask(list);
      if (signal.aborted) {
        return;
      }
      this.#meanwhile = undefined;
      this.#rows.begin(filter, page.events, page.totalCount, keep && !this.#isAtTop);
      this.#rows.hasMore = page.next !== undefined;
      // The list may hold some of it already, which does no harm.
      const stale = meanwhile.map((frame) => this.#rows.take(frame, !this.#isAtTop)).some(Boolean);
      this.#next = page.next;
      this.#shownUpTo = page.cursor;
      this.#loading = "idle";
      this.#error = undefined;
      this.#refresh();
      if (stale) {
        void this.#load();
      }
    } catch (error) {
      this.#loadingFailed(error, signal);
    }
  }

  #loadingFailed(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) {
      this.#loading = "failed";
      this.#meanwhile = undefined;
      if (this.#rows.filter !== this.#filter) {
        // Better nothing than what was not asked for.
        this.#rows.begin(this.#filter, [], undefined);
        this.#next = undefined;
        this.#refresh();
      }
      this.#fail(error);
    }
  }

  #take(frame: Frame): void {
    this.#meanwhile?.push(frame);
    const isStale = this.#rows.take(frame, !this.#isAtTop);
    if (frame.kind === "event" && this.session.state === "live") {
      const { id } = frame.event;
      this.#newIds.add(id);
      setTimeout(() => this.#newIds.delete(id), NEW);
    }
    if (frame.kind === "deleted") {
      this.choice.forget(frame.change.ids);
    }
    if (this.#rows.held === 0) {
      this.#shownUpTo = frame.cursor;
    }
    this.work.take(frame);
    this.#lines = undefined;
    this.#tell();
    if (isStale && this.#loading === "idle") {
      void this.#load();
    }
  }

  #fail(error: unknown): void {
    this.#error =
      error instanceof ApiError ? error : new ApiError(String(error), 0, "unreadable");
    this.#tell();
  }

  #refresh(): void {
    this.#lines = undefined;
    this.#tell();
  }

  #tell(): void {
    const gather = this.#rows.events.length > LONG ? GATHER_LONG : GATHER;
    this.#telling ??= setTimeout(() => {
      this.#telling = undefined;
      if (this.lines.length === 0 && !this.removals.waiting) {
        // What was loaded is gone, and there may be more.
        void this.more();
      }
      this.#changed();
    }, gather);
  }
}
