import { tagOf } from "../api/cursor.js";
import { ApiError } from "../api/error.js";
import { type Event, type EventKey, eventKey, meantByChange } from "../api/event.js";
import { type EventFilter, matches } from "../api/filter.js";
import type { Cursor, Status } from "../api/schema.js";
import type { Frame } from "../stream/frame.js";
import { Changes, type Fault, type Unchanged } from "./changes.js";
import { Choice } from "./choice.js";
import { Extent } from "./extent.js";
import { type Line, linesOf, rankOf } from "./lines.js";
import { Missing } from "./missing.js";
import { Removals } from "./removals.js";
import { Rows } from "./rows.js";
import type { Session } from "./session.js";
import { Steps } from "./steps.js";
import { countedBy } from "./total.js";
import { furtherUnread, revealsUnread } from "./unread.js";
import { Work } from "./work.js";

/** The page size, in events. */
const PAGE = 100;

/** The maximum number of events reloaded in one request. */
const MAX_PAGE = 1_000;

/** The time during which changes are batched before a render, in milliseconds; longer for long lists. */
const [GATHER, GATHER_LONG] = [16, 120];
const LONG = 5_000;

/** The maximum number of unread events loaded from further down. */
const MAX_FURTHER = 200;

/** How long a line counts as new, in milliseconds. */
const NEW = 1_000;

/** The loading state of the list. */
export type Loading = "first" | "more" | "idle" | "failed";

/** The model of an inbox as one reader sees it: filter, matching lines, selection and pending changes. */
export class Inbox {
  readonly session: Session;
  readonly choice = new Choice();
  readonly removals: Removals;
  readonly work: Work;
  /** Whether the reader interacts with the list, so that no row may move. */
  isWatched: () => boolean = () => false;
  readonly #rows = new Rows();
  readonly #steps: Steps;
  readonly #missing = new Missing();
  readonly #changes: Changes;
  readonly #changed: () => void;
  readonly #new = new Set<EventKey>();
  readonly #openOperations = new Set<string>();
  #leave: (() => void) | undefined;
  #filter: EventFilter = {};
  #loading: Loading = "first";
  #fault: Fault | undefined;
  #wasLive = false;
  #next: string | undefined;
  #isAtTop = true;
  #lines: readonly Line[] | undefined;
  /** The cursor of the list on screen, and the upper bound of a change by filter. */
  #shownUpTo: Cursor | undefined;
  #request = new AbortController();
  /** Frames received while a list is loading; the list can be older than they are. */
  #meanwhile: Frame<Event>[] | undefined;
  /** Whether events match that are not loaded, though they are not below the loaded ones. */
  #isOutdated = false;
  #telling: ReturnType<typeof setTimeout> | undefined;
  /** Whether the unread events below the loaded list have been requested. */
  #hasLookedFurther = false;

  constructor(session: Session, changed: () => void) {
    this.session = session;
    this.#changed = changed;
    const tell = (): void => this.#tell();
    this.removals = new Removals(
      (removal, leaving) => this.#changes.remove(removal, leaving, () => this.removals.add(removal)),
      () => this.#refresh(),
    );
    this.work = new Work(tell, (error) => this.#fail(error));
    this.#steps = new Steps((operationId, next) =>
      session.client.list(
        { ...this.#filter, operationId },
        { ...(next === undefined ? {} : { next }), size: next === undefined ? PAGE : MAX_PAGE },
      ),
    );
    this.#changes = new Changes({
      client: session.client,
      rows: this.#rows,
      steps: this.#steps,
      work: this.work,
      lines: () => this.lines,
      load: () => this.#load(),
      refresh: () => this.#refresh(),
      failed: (error, unchanged) => this.#fail(error, unchanged),
    });
  }

  get filter(): EventFilter {
    return this.#filter;
  }

  get loading(): Loading {
    return this.#loading;
  }

  /** The last failure, until the reader dismisses it, or the list is loaded if that was what failed. */
  get fault(): Fault | undefined {
    return this.#fault;
  }

  get hasMore(): boolean {
    return this.#rows.hasMore;
  }

  /** The number of held events. */
  get held(): number {
    return this.#rows.held;
  }

  /** The visible lines, newest first. */
  get lines(): readonly Line[] {
    if (!this.#lines) {
      const { extents } = this.removals;
      const isShown = (event: Event): boolean => !extents.some((extent) => extent.has(event));
      this.#lines = linesOf(this.#rows.events.filter(isShown), this.#openOperations, (operation) =>
        this.#steps.of(operation).filter((step) => !this.#rows.has(step) && isShown(step)),
      );
    }
    return this.#lines;
  }

  /** The number of matching events, as exactly as known. */
  get total(): number | undefined {
    const { counts } = this.session;
    return (counts && countedBy(this.#filter, counts)) ?? this.#rows.total;
  }

  /** Lists and follows until {@link close} is called. */
  open(filter: EventFilter): void {
    this.#leave ??= this.session.listen({
      frame: (frame) => this.#take(frame),
      changed: () => this.#followed(),
      reload: () => void this.#load(),
    });
    this.#filter = filter;
    void this.#load();
  }

  close(): void {
    // The page stays open, so a regular request is possible.
    this.removals.flush(false);
    this.#request.abort();
    this.#leave?.();
    this.#leave = undefined;
  }

  /** Applies another filter. */
  show(filter: EventFilter): void {
    this.#filter = filter;
    this.#missing.clear();
    this.choice.clear();
    this.#steps.clear();
    void this.#load(false);
  }

  /** Loads the next page, if any. */
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
      this.#listed();
      this.lookedAway();
      this.#refresh();
    } catch (error) {
      this.#loadingFailed(error, signal);
    }
  }

  /** Retries the failed request: the next page or the whole list. */
  async retry(): Promise<void> {
    this.#fault = undefined;
    if (this.#rows.events.length > 0 && this.#next) {
      this.#loading = "idle";
      await this.more();
    } else {
      await this.#load();
    }
  }

  /** Sends the deletions that can still be undone and waits for all responses. */
  async settle(): Promise<void> {
    await this.removals.settle();
  }

  /** Sets whether the newest line is visible; only then new lines appear immediately. */
  set isAtTop(isAtTop: boolean) {
    this.#isAtTop = isAtTop;
    this.lookedAway();
  }

  /** Makes the held changes of the list unless another reason to hold them remains. */
  lookedAway(): void {
    if (!this.#holds) {
      if (this.#rows.waits) {
        this.release();
      } else {
        this.#catchUp();
      }
    }
  }

  /** Whether new events must be held. An empty list never holds events. */
  get #holds(): boolean {
    const isReading = !this.#isAtTop || !this.choice.isEmpty || this.isWatched();
    return isReading && (this.#lines ?? this.#rows.events).length > 0;
  }

  /** Makes the held changes of the list. */
  release(): void {
    this.#rows.release();
    this.#shownUpTo = this.session.cursor;
    this.#catchUp();
    this.#refresh();
  }

  /** Expands or collapses the older steps of an operation. */
  toggleOperation(operationId: string): void {
    if (!this.#openOperations.delete(operationId)) {
      this.#openOperations.add(operationId);
      void this.#askForSteps(operationId);
    }
    this.#refresh();
  }

  /** Whether an event has just arrived live. */
  isNew(event: Event): boolean {
    return this.#new.has(eventKey(event));
  }

  isOperationOpen(operationId: string): boolean {
    return this.#openOperations.has(operationId);
  }

  /** Marks every step of a line. */
  async mark(line: Line, status: Status): Promise<void> {
    const extent = this.#extentOf(line);
    const others = line.steps.filter((step) => step.status !== status);
    await this.#changes.mark("keys" in extent.selection ? extentOf(others) : extent, status);
  }

  /**
   * Marks the event of an opened line, and the steps below it that are not more severe, as read.
   * A more severe unread step therefore never hides under a line that looks read.
   */
  async markOpened(line: Line): Promise<void> {
    const rank = rankOf(line.event.severity);
    const opened = line.steps.filter(({ severity, status }) => status === "unread" && rankOf(severity) >= rank);
    await this.#changes.mark(extentOf(opened), "read");
  }

  /** Hides a line with all its steps, and deletes them unless undone in time. */
  remove(line: Line): void {
    this.choice.forget(line.steps);
    this.removals.add({ extent: this.#extentOf(line), first: line.event });
    this.#refresh();
  }

  /** Toggles the selection of a line's steps; with `range`, selects all lines from the anchor. */
  choose(line: Line, range: boolean): void {
    const keysOf = (each: Line): EventKey[] => each.steps.map(eventKey);
    if (range) {
      const lines = new Map(this.lines.map((each) => [eventKey(each.event), each]));
      this.choice.extend(eventKey(line.event), [...lines.keys()], (key) => {
        const found = lines.get(key);
        return found ? keysOf(found) : [];
      });
    } else {
      this.choice.toggle(eventKey(line.event), keysOf(line));
    }
    for (const each of this.lines) {
      if (this.choice.has(each.event)) {
        void this.#chooseFurther(each);
      }
    }
    this.lookedAway();
    this.#tell();
  }

  /** Selects all events that match now, loaded or not. */
  chooseAll(): void {
    const extent = this.#all();
    if (extent) {
      this.choice.selectAll(extent);
    }
  }

  /** The number of lines with a selected step. */
  get chosenLines(): number {
    const isChosen = (event: Event): boolean => this.choice.has(event);
    return this.lines.filter(({ isOlder, steps }) => !isOlder && steps.some(isChosen)).length;
  }

  chooseNone(): void {
    this.choice.clear();
    this.lookedAway();
  }

  /** Whether an unread event matches, loaded or not. */
  get hasUnread(): boolean {
    const { counts } = this.session;
    const further = counts && countedBy({ ...this.#filter, status: "unread" }, counts);
    return (further ?? 0) > 0 || this.lines.some(({ unread }) => unread > 0);
  }

  /** Whether an unread event is selected, loaded or not. */
  get isUnreadChosen(): boolean {
    const loaded = this.lines.flatMap(({ steps }) => steps);
    const isChosen = (event: Event): boolean => event.status === "unread" && this.choice.has(event);
    return this.choice.all ? this.hasUnread : loaded.some(isChosen);
  }

  /** Marks all events that match now as read, loaded or not, but none that are held. */
  async markAll(): Promise<void> {
    const extent = this.#all();
    if (extent) {
      await this.#changes.markMany(extent, "read");
    }
  }

  /** Marks the selected events. */
  async markChosen(status: Status): Promise<void> {
    const extent = this.#chosen();
    this.chooseNone();
    await this.#changes.markMany(extent, status);
  }

  /** Deletes the selected events unless undone in time. */
  removeChosen(): void {
    const extent = this.#chosen();
    const first = this.lines.find(({ steps }) => steps.some((step) => extent.has(step)));
    this.removals.add({ extent, first: first?.event });
    this.choice.clear();
    this.#refresh();
    this.lookedAway();
  }

  /** Loads the missing steps of a line. */
  async askForSteps(line: Line): Promise<void> {
    if (!this.#isWhole(line)) {
      await this.#askForSteps(line.event.operationId);
    }
  }

  dismissFault(): void {
    this.#fault = undefined;
    this.#tell();
  }

  /** Repeats the change that failed. */
  repeat(): void {
    const again = this.#fault?.unchanged?.again;
    this.dismissFault();
    again?.();
  }

  /** Whether all steps of a line are loaded. The step whose id equals the operation's id is the first one. */
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
      const key = eventKey(line.event);
      await this.#askForSteps(line.event.operationId);
      const found = this.lines.find(({ event }) => eventKey(event) === key);
      // The reader may have chosen another line meanwhile.
      if (found && !this.choice.all && this.choice.has(found.event)) {
        this.choice.add(found.steps.map(eventKey));
        this.#tell();
      }
    }
  }

  /** The extent of a change to a line: the loaded steps, or the operation up to the list's cursor. */
  #extentOf(line: Line): Extent {
    if (this.#isWhole(line) || this.#shownUpTo === undefined) {
      return extentOf(line.steps);
    }
    const { status, ...others } = this.#filter;
    const filter = {
      ...others,
      // A list of unread events keeps events that the reader has just read.
      ...(status === "read" ? { status } : {}),
      operationId: line.event.operationId,
    };
    return Extent.matching(filter, this.#shownUpTo, line.steps.length);
  }

  #all(): Extent | undefined {
    const count = (this.total ?? this.#rows.events.length + this.held) - this.held;
    return this.#shownUpTo === undefined ? undefined : Extent.matching(this.#filter, this.#shownUpTo, count);
  }

  #chosen(): Extent {
    return this.choice.all ?? Extent.of(this.choice.keys);
  }

  /** Loads the unread events below the loaded list once, because they can belong to visible lines. */
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

  /** Reloads from the newest event; with `keep`, as many events as were loaded. */
  async #load(keep = true): Promise<void> {
    this.#request.abort();
    this.#request = new AbortController();
    const { signal } = this.#request;
    const loaded = keep ? this.#rows.events.length : 0;
    const size = Math.min(Math.max(PAGE, loaded), MAX_PAGE);
    const filter = this.#filter;
    const meanwhile: Frame<Event>[] = [];
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
      // The list can contain some of these frames already; applying them again is harmless.
      const taken = meanwhile.map((frame) => this.#missing.take(frame, this.#rows.take(frame, hold)));
      this.#isOutdated = taken.some(Boolean);
      this.#next = page.next;
      this.#loading = "idle";
      this.#listed();
      this.#refresh();
      this.#catchUp();
    } catch (error) {
      this.#loadingFailed(error, signal);
    }
  }

  #loadingFailed(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) {
      this.#loading = "failed";
      this.#meanwhile = undefined;
      this.#missing.clear();
      if (this.#rows.filter !== this.#filter) {
        // An empty list is better than one for another filter.
        this.#rows.begin(this.#filter, [], undefined);
        this.#next = undefined;
        this.#refresh();
      }
      this.#fail(error);
    }
  }

  #take(frame: Frame<Event>): void {
    this.#meanwhile?.push(frame);
    if (frame.kind === "deleted") {
      const known = meantByChange(frame.change).map((meant) => this.#rows.get(meant));
      this.choice.forget(known.filter((event) => event !== undefined));
    }
    const isStale = this.#rows.take(frame, this.#holds);
    if (frame.kind === "event") {
      this.#arrived(frame.event);
    }
    const isUnknown = (event: Event): boolean => this.#isFurther(event) && !this.#steps.has(event);
    this.#hasLookedFurther &&= !revealsUnread(frame, isUnknown);
    this.#steps.follow(frame, frame.kind === "event" && !this.#isFurther(frame.event));
    if (this.#rows.held === 0) {
      this.#shownUpTo = frame.cursor;
    }
    this.work.take(frame);
    this.#lines = undefined;
    this.#tell();
    // A list that is being loaded takes the frame again.
    if (!this.#meanwhile && this.#missing.take(frame, isStale)) {
      this.#isOutdated = true;
      if (frame.kind !== "updated" || !this.#holds) {
        this.#catchUp();
      }
    }
  }

  #catchUp(): void {
    if (this.#isOutdated && this.#loading === "idle") {
      void this.#load();
    }
  }

  #arrived(event: Event): void {
    for (const extent of [this.choice.all, ...this.removals.extents]) {
      extent?.arrived(event);
    }
    if (this.session.state === "live") {
      const key = eventKey(event);
      this.#new.add(key);
      setTimeout(() => this.#new.delete(key), NEW);
    }
  }

  /** Whether an event matches and belongs below the loaded part. */
  #isFurther(event: Event): boolean {
    return !this.#rows.has(event) && matches(this.#filter, event);
  }

  /** A list that failed while the server was away is loaded when the stream is back. */
  #followed(): void {
    const isLive = this.session.state === "live";
    if (isLive && !this.#wasLive && this.#loading === "failed") {
      void this.retry();
    }
    this.#wasLive = isLive;
    this.#tell();
  }

  #listed(): void {
    this.#fault = this.#fault?.unchanged ? this.#fault : undefined;
  }

  #fail(error: unknown, unchanged?: Unchanged): void {
    this.#fault = {
      error: error instanceof ApiError ? error : new ApiError(String(error), 0, "unreadable"),
      unchanged,
    };
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
        if (this.removals.waiting.length === 0) {
          // Everything loaded is gone, and the server can have more.
          void this.more();
        }
      }
      this.#lookFurther();
      this.#changed();
    }, gather);
  }
}

function extentOf(events: readonly Event[]): Extent {
  return Extent.of(events.map(eventKey));
}
