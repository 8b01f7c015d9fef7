/** How long a claim is valid, in milliseconds: longer than the delay between tabs that receive one event. */
const HELD = 10_000;

/**
 * Claims the notification of an event for this tab. Only the first tab of the browser that asks succeeds;
 * without Web Locks, every tab succeeds.
 */
export async function claim(key: string, locks: LockManager | undefined = sharedLocks()): Promise<boolean> {
  if (!locks) {
    return true;
  }
  return new Promise((resolve) => {
    void locks.request(`tidings:told:${key}`, { ifAvailable: true }, async (lock) => {
      resolve(lock !== null);
      if (lock) {
        await new Promise((release) => setTimeout(release, HELD));
      }
    });
  });
}

function sharedLocks(): LockManager | undefined {
  return (navigator as { locks?: LockManager }).locks;
}
