import net from "node:net";

/**
 * Below the ports that the kernel hands out by itself. A client that knocks at one of those while
 * nobody listens there may get it as its own, and is then connected with itself.
 */
const FIRST = 20_000;
const COUNT = 10_000;

/**
 * A port of this machine at which a server can be started, ended and started again.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (await isFree(port)) {
      return port;
    }
  }
}

/** @param {number} port */
function isFree(port) {
  return new Promise((resolve, reject) => {
    const probe = net.createServer();
    probe.once("error", (error) => {
      if (/** @type {NodeJS.ErrnoException} */ (error).code === "EADDRINUSE") {
        resolve(false);
      } else {
        reject(error);
      }
    });
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
