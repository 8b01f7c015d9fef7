/** How long a tab's claim holds, in milliseconds: longer than the tabs are apart in seeing one event. */
const HELD = 10_000;

/**
 * Whether this tab is the one of all tabs of the browser that tells of an event. Only one gets a yes,
 * whichever asks first; without Web Locks each does.
 */
export async function claim(id: string, locks: LockManager | undefined = sharedLocks()): Promise<boolean> {
  if (!locks) {
    return true;
  }
  return new Promise((resolve) => {
    void locks.request(`tidings:told:${id}`, { ifAvailable: true }, async (lock) => {
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
