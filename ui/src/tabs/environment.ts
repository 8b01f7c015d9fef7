/** The browser APIs that tabs use to share a connection. */
export interface Environment {
  /** Absent outside a secure context, which Web Locks require. */
  readonly locks: Pick<LockManager, "request"> | undefined;
  channel(name: string): BroadcastChannel;
  isVisible(): boolean;
}

export const browser: Environment = {
  get locks() {
    // Undefined on pages loaded over plain HTTP from another machine, and outside a browser.
    return (globalThis.navigator as { locks?: LockManager } | undefined)?.locks;
  },
  channel: (name) => new BroadcastChannel(name),
  isVisible: () => (globalThis.document as Document | undefined)?.visibilityState !== "hidden",
};
