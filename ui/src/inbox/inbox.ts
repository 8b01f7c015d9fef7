import { tagOf } from "../api/cursor.js";
import { ApiError } from "../api/error.js";
import { type EventFilter, isEmpty, matches } from "../api/filter.js";
import type { Cursor, Event, Status } from "../api/schema.js";
import { totalOf } from "../stream/counts.js";
import type { Frame } from "../stream/frame.js";
import { Choice } from "./choice.js";
import { Extent } from "./extent.js";
import { type Line, linesOf, rankOf } from "./lines.js";
import { type Removal, Removals } from "./removals.js";
import { Rows } from "./rows.js";
import type { Session } from "./session.js";
import { Steps } from "./steps.js";
import { furtherUnread } from "./unread.js";
import { Work } from "./work.js";

/** Events a page. */
const PAGE = 100;

/** The most that is loaded anew at once where more was loaded. */
const MAX_PAGE = 1_000;

/** How long changes are gathered before the screen follows, in milliseconds; longer for long lists. */
const [GATHER, GATHER_LONG] = [16, 120];
const LONG = 5_000;

/** The most unread events further down that are looked at. */
const MAX_FURTHER = 200;

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
  /** Whether the reader points at the list or is in it, so that nothing in it may move. */
  isWatched: () => boolean = () => false;
  readonly #rows = new Rows();
  readonly #steps: Steps;
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
  /** Whether it was asked what is unread further down than the list on screen. */
  #hasLookedFurther = false;

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
    this.#steps = new Steps((operationId, next) =>
      session.client.list(
        { ...this.#filter, operationId },
        { ...(next === undefined ? {} : { next }), size: next === undefined ? PAGE : MAX_PAGE },
      ),
    );
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
    if (!this.#lines) {
      const { extents } = this.removals;
      const isShown = (event: Event): boolean => !extents.some((extent) => extent.has(event));
      this.#lines = linesOf(this.#rows.events.filter(isShown), this.#openOperations, (operation) =>
        this.#steps.of(operation).filter((step) => !this.#rows.get(step.id) && isShown(step)),
      );
    }
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
    this.#steps.clear();
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
    this.lookedAway();
  }

  /** Shows the new events that wait, unless there is another reason to hold them. */
  lookedAway(): void {
    if (this.#rows.held > 0 && !this.#holds) {
      this.release();
    }
  }

  /** Whether new events wait: where no line is shown, none can move. */
  get #holds(): boolean {
    const isReading = !this.#isAtTop || !this.choice.isEmpty || this.isWatched();
    return isReading && (this.#lines ?? this.#rows.events).length > 0;
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
      void this.#askForSteps(operationId);
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

  /** Marks every step of a line. */
  async mark(line: Line, status: Status): Promise<void> {
    const extent = this.#extentOf(line);
    if ("ids" in extent.selection) {
      await this.#markAll(line.steps.filter((step) => step.status !== status), status);
      return;
    }
    try {
      await this.session.client.mark(extent.selection, status);
      this.#marked(extent, status);
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Marks what a reader has seen who opened a line: its event, and the steps under it that are no worse.
   * So no unread step hides under a line that looks better than it.
   */
  async markOpened(line: Line): Promise<void> {
    const rank = rankOf(line.event.severity);
    await this.#markAll(
      line.steps.filter(({ severity, status }) => status === "unread" && rankOf(severity) >= rank),
      "read",
    );
  }

  /** Hides a line with all its steps, and deletes them when it is not undone in time. */
  remove(line: Line): void {
    this.choice.forget(line.steps);
    this.removals.add({ extent: this.#extentOf(line), first: line.event });
    this.#refresh();
  }

  /** Selects every step of a line, or none of them; `range`: of all lines from the last selected one. */
  choose(line: Line, range: boolean): void {
    const idsOf = (each: Line): string[] => each.steps.map(({ id }) => id);
    if (range) {
      const lines = new Map(this.lines.map((each) => [each.event.id, each]));
      this.choice.extend(line.event.id, [...lines.keys()], (id) => {
        const found = lines.get(id);
        return found ? idsOf(found) : [];
      });
    } else {
      this.choice.toggle(line.event.id, idsOf(line));
    }
    for (const each of this.lines) {
      if (this.choice.has(each.event)) {
        void this.#chooseFurther(each);
      }
    }
    this.lookedAway();
    this.#tell();
  }

  /** Selects all that match now, loaded or not. */
  chooseAll(): void {
    if (this.#shownUpTo !== undefined) {
      const count = (this.total ?? this.#rows.events.length + this.held) - this.held;
      this.choice.selectAll(Extent.matching(this.#filter, this.#shownUpTo, count));
    }
  }

  /** How many lines have something that is selected. */
  get chosenLines(): number {
    const isChosen = (event: Event): boolean => this.choice.has(event);
    return this.lines.filter(({ isOlder, steps }) => !isOlder && steps.some(isChosen)).length;
  }

  chooseNone(): void {
    this.choice.clear();
    this.lookedAway();
  }

  /** Marks all that is selected. */
  async markChosen(name: string, status: Status): Promise<void> {
    const extent = this.#chosen();
    this.chooseNone();
    await this.work.add(name, extent.count, async () => {
      await this.session.client.mark(extent.selection, status);
      if ("ids" in extent.selection) {
        this.#marked(extent, status);
      } else {
        await this.#load();
      }
      this.#refresh();
    });
  }

  /** Deletes all that is selected, when it is not undone in time. */
  removeChosen(): void {
    const extent = this.#chosen();
    const first = this.lines.find(({ steps }) => steps.some((step) => extent.has(step)));
    this.removals.add({ extent, first: first?.event });
    this.choice.clear();
    this.#refresh();
    this.lookedAway();
  }

  /** Loads what is not known of a line's steps. */
  async askForSteps(line: Line): Promise<void> {
    if (!this.#isWhole(line)) {
      await this.#askForSteps(line.event.operationId);
    }
  }

  dismissError(): void {
    this.#error = undefined;
    this.#tell();
  }

  /** Whether all steps of a line are known. One that has the operation's id is its first. */
  #isWhole({ event, isOlder }: Line): boolean {
    return (
      isOlder ||
      !this.#rows.hasMore ||
      event.operationId === event.id ||
      this.#steps.isWhole(event.operationId)
    );
  }

  async #askForSteps(operationId: string): Promise<void> {
    if (this.#rows.hasMore && (await this.#steps.all(operationId))) {
      this.#refresh();
    }
  }

  async #chooseFurther(line: Line): Promise<void> {
    if (!this.#isWhole(line)) {
      const { id, operationId } = line.event;
      await this.#askForSteps(operationId);
      const found = this.lines.find(({ event }) => event.id === id);
      // The reader may have changed their mind meanwhile.
      if (found && !this.choice.all && this.choice.has(found.event)) {
        this.choice.add(found.steps.map((step) => step.id));
        this.#tell();
      }
    }
  }

  /** What a change of a line is about: each step that is known, or the operation up to what is shown. */
  #extentOf(line: Line): Extent {
    if (this.#isWhole(line) || this.#shownUpTo === undefined) {
      return Extent.of(line.steps.map(({ id }) => id));
    }
    const { status, ...others } = this.#filter;
    const filter = {
      ...others,
      // A line of unread events keeps those that have just been read.
      ...(status === "read" ? { status } : {}),
      operationId: line.event.operationId,
    };
    return Extent.matching(filter, this.#shownUpTo, line.steps.length);
  }

  #chosen(): Extent {
    return this.choice.all ?? Extent.of(this.choice.ids);
  }

  async #markAll(events: readonly Event[], status: Status): Promise<void> {
    if (events.length > 0) {
      const extent = Extent.of(events.map(({ id }) => id));
      try {
        await this.session.client.mark(extent.selection, status);
        this.#marked(extent, status);
      } catch (error) {
        this.#fail(error);
      }
    }
  }

  /** Shows what was marked before the stream tells of it. */
  #marked(extent: Extent, status: Status): void {
    const further = this.lines.flatMap(({ steps }) => steps);
    const ids = [...this.#rows.events, ...further]
      .filter((event) => extent.has(event))
      .map(({ id }) => id);
    const now = new Date().toISOString();
    this.#rows.mark(ids, status, now);
    this.#steps.mark(ids, status, now);
    this.#refresh();
  }

  async #sendRemoval({ extent }: Removal, leaving: boolean): Promise<void> {
    const { selection } = extent;
    const remove = async (): Promise<void> => {
      await this.session.client.remove(selection, leaving);
      if ("ids" in selection) {
        this.#rows.remove(selection.ids);
        this.#steps.remove(selection.ids);
      } else if (!leaving) {
        await this.#load();
      }
      this.#refresh();
    };
    if (leaving || extent.count === 1) {
      // What goes with the page cannot wait, and one is no work to speak of.
      await remove().catch((error: unknown) => this.#fail(error));
    } else {
      await this.work.add("delete", extent.count, remove);
    }
  }

  /** Asks once what is unread further down: it may belong to lines that are shown. */
  #lookFurther(): void {
    const { counts, client } = this.session;
    if (this.#hasLookedFurther || this.#loading !== "idle" || !this.#rows.hasMore || !counts) {
      return;
    }
    this.#hasLookedFurther = true;
    const further = furtherUnread(this.#filter, this.#rows.events, counts);
    if (further) {
      const list = async () => (await client.list(further, { size: MAX_FURTHER })).events;
      void this.#steps.take(list).then(() => this.#refresh());
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
      const shownUpTo = this.#shownUpTo;
      const isSameInbox = shownUpTo === undefined || tagOf(shownUpTo) === tagOf(page.cursor);
      const hold = isSameInbox && this.#holds;
      this.#rows.begin(filter, page.events, page.totalCount, keep && hold);
      if (this.#rows.held === 0) {
        this.#shownUpTo = page.cursor;
      }
      this.#rows.hasMore = page.next !== undefined;
      this.#steps.clear();
      this.#hasLookedFurther = false;
      // The list may hold some of it already, which does no harm.
      const stale = meanwhile.map((frame) => this.#rows.take(frame, hold)).some(Boolean);
      this.#next = page.next;
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
    if (frame.kind === "deleted") {
      const known = frame.change.ids.map((id) => this.#rows.get(id));
      this.choice.forget(known.filter((event) => event !== undefined));
    }
    const isStale = this.#rows.take(frame, this.#holds);
    if (frame.kind === "event") {
      this.#arrived(frame.event);
    }
    this.#steps.follow(frame, frame.kind === "event" && !this.#isFurther(frame.event));
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

  #arrived({ id }: Event): void {
    for (const extent of [this.choice.all, ...this.removals.extents]) {
      extent?.arrived(id);
    }
    if (this.session.state === "live") {
      this.#newIds.add(id);
      setTimeout(() => this.#newIds.delete(id), NEW);
    }
  }

  /** Whether an event matches and belongs further down than what is loaded. */
  #isFurther(event: Event): boolean {
    return !this.#rows.get(event.id) && matches(this.#filter, event);
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
      if (this.lines.length === 0) {
        this.lookedAway();
        if (!this.removals.waiting) {
          // What was loaded is gone, and there may be more.
          void this.more();
        }
      }
      this.#lookFurther();
      this.#changed();
    }, gather);
  }
}
