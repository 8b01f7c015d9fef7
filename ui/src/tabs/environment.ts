/** What a browser gives to tabs that share something. */
export interface Environment {
  /** Absent where the page is not served safely (Web Locks need a secure context). */
  readonly locks: Pick<LockManager, "request"> | undefined;
  channel(name: string): BroadcastChannel;
  isVisible(): boolean;
}

export const browser: Environment = {
  get locks() {
    // Not there on pages that came over plain HTTP from another machine.
    return (navigator as { locks?: LockManager }).locks;
  },
  channel: (name) => new BroadcastChannel(name),
  isVisible: () => document.visibilityState === "visible",
};
