import net from "node:net";

/**
 * Below the kernel's ephemeral ports. A client that connects to an ephemeral port while
 * no server listens can be assigned the same port and connect to itself.
 */
const FIRST = 20_000;
const COUNT = 10_000;

/** The polling interval for a server that starts, in milliseconds. */
const LOOK = 20;

/** No port is given out twice, as its server can still be about to start. */
const given = new Set();

/**
 * Returns a free local port on which a server can be restarted.
 *
 * @returns {Promise<number>}
 */
export async function freePort() {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * COUNT);
    if (given.has(port)) {
      continue;
    }
    given.add(port);
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

/**
 * Waits until a port accepts connections.
 *
 * @param {number} port
 */
export async function accepts(port) {
  for (;;) {
    const socket = net.connect(port, "127.0.0.1");
    const isOpen = await new Promise((resolve) => {
      socket.once("connect", () => resolve(true));
      socket.once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK));
  }
}
