import { LitElement, css, html } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { ApiError } from "../api/error.js";
import { look } from "../components/look.js";
import { sessionOf } from "../inbox/session.js";
import { pageStrings } from "../strings/page.js";
import { command } from "./copy.js";

/** The id of the example's cluster. */
const CLUSTER = "7b1d2c3e-0000-4000-8000-000000000001";

/** Shows how to send the first event while the inbox is empty. */
@customElement("tidings-welcome")
export class TidingsWelcome extends LitElement {
  /** Whether requests need a token. */
  @property({ type: Boolean }) login = false;

  @state() private said = "";

  static override styles = [
    look,
    css`
      :host {
        display: block;
        max-width: 44rem;
        margin-inline: auto;
        text-align: start;
      }
      h2 {
        margin: 0 0 0.25rem;
        font-size: 1.375rem;
      }
      p {
        margin: 0 0 1rem;
        color: var(--t-muted);
      }
      .command {
        position: relative;
        margin-bottom: 1rem;
      }
      .command h3 {
        margin: 0 0 0.25rem;
        font-size: 0.875rem;
      }
      .command .action {
        position: absolute;
        inset-block-start: 0;
        inset-inline-end: 0;
        min-height: 1.5rem;
        padding-block: 0;
        font-size: 0.8125rem;
      }
      pre {
        margin: 0.375rem 0 0;
        padding: 0.75rem 1rem;
        overflow: auto;
        border: 1px solid var(--t-line);
        border-radius: var(--t-radius);
        background: var(--t-raised);
        font: 0.8125rem/1.5 var(--t-mono);
      }
    `,
  ];

  protected override render() {
    const here = sessionOf("", undefined).client.access.server;
    const url = here === "http://127.0.0.1:9081" ? "" : ` --url ${quoted(here)}`;
    // The `tidings` command reads this variable itself.
    const token = this.login ? ' -H "Authorization: Bearer $TIDINGS_TOKEN"' : "";
    const body = JSON.stringify({
      actedUpon: CLUSTER,
      category: "connection",
      action: "register",
      severity: "success",
      description: pageStrings.welcome.example,
    });
    return html`
      <h2>${pageStrings.welcome.title}</h2>
      <p>${pageStrings.welcome.lead}</p>
      ${this.login
        ? html`<p>${pageStrings.welcome.token}</p>`
        : html`<p>
            <button class="action primary" @click=${() => void this.#send()}>
              ${pageStrings.welcome.send}
            </button>
            <span role="status">${this.said}</span>
          </p>`}
      ${command(
        pageStrings.welcome.command,
        `tidings publish${url} --acted-upon ${CLUSTER} \\
  --category connection --action register --severity success \\
  --description '${pageStrings.welcome.example}'`,
      )}
      ${command(
        pageStrings.welcome.curl,
        `curl${token} ${quoted(`${here}/api/system/events`)} \\
  -H 'Content-Type: application/json' \\
  -d '${body}'`,
      )}
      ${command(
        pageStrings.welcome.rust,
        `let event = Event::builder()
    .from_user(user)
    .acted_upon(cluster)
    .with_category("connection")
    .with_action("register")
    .with_severity(Severity::Success)
    .with_description("${pageStrings.welcome.example}")
    .build()?;
tidings.publish(event).await?;`,
      )}
    `;
  }

  async #send(): Promise<void> {
    this.said = pageStrings.welcome.sent;
    try {
      await sessionOf("", undefined).client.publish({
        actedUpon: CLUSTER,
        category: "connection",
        action: "register",
        severity: "success",
        description: pageStrings.welcome.example,
        metadata: null,
      });
    } catch (error) {
      this.said = error instanceof ApiError ? error.message : String(error);
    }
  }
}

/** Quotes an address for a shell. */
function quoted(address: string): string {
  return /^[\w:/.-]+$/.test(address) ? address : `'${address.replaceAll("'", "%27")}'`;
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-welcome": TidingsWelcome;
  }
}
