/** `@tidings/inbox` in runtimes that have no elements, such as edge functions. */
export class TidingsBell {
  server = "";
}

export class TidingsInbox {
  server = "";
}

export { setLanguage } from "../strings/strings.js";
