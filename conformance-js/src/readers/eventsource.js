/** The README example of the package `eventsource`. Prints each message. */
import { EventSource } from "eventsource";

const es = new EventSource(process.argv[2]);
const print = ({ type, data, lastEventId }) => {
  console.log(JSON.stringify({ name: type, data: JSON.parse(data), cursor: lastEventId }));
};
for (const name of ["message", "ready", "live", "status", "deleted", "reset"]) {
  es.addEventListener(name, print);
}
