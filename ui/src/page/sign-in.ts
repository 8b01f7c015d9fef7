import { LitElement, css, html, nothing } from "lit";
import { customElement, property, state } from "lit/decorators.js";

import { ApiError } from "../api/error.js";
import { look } from "../components/look.js";
import { sessionOf } from "../inbox/session.js";
import { reasonsOf } from "../components/words.js";
import { pageStrings } from "../strings/page.js";

/** A form that exchanges a token for a session. Fires `signed-in`. */
@customElement("tidings-sign-in")
export class TidingsSignIn extends LitElement {
  /** Whether a session has expired. */
  @property({ type: Boolean }) again = false;

  @state() private fault = "";

  static override styles = [
    look,
    css`
      :host {
        display: block;
        max-width: 30rem;
        margin: 10vh auto 0;
        padding: 1.5rem;
        border: 1px solid var(--t-line);
        border-radius: var(--t-radius);
        background: var(--t-surface);
      }
      h2 {
        margin: 0 0 0.5rem;
        font-size: 1.25rem;
      }
      p {
        color: var(--t-muted);
        margin: 0 0 1rem;
      }
      label {
        display: grid;
        gap: 0.25rem;
        margin-bottom: 1rem;
      }
      input {
        border: 1px solid var(--t-edge);
        border-radius: 6px;
        background: var(--t-surface);
        min-height: 2.25rem;
        padding-inline: 0.5rem;
      }
      .fault {
        color: var(--t-error);
      }
      code {
        font-family: var(--t-mono);
        font-size: 0.8125rem;
        overflow-wrap: anywhere;
      }
    `,
  ];

  get #field(): HTMLInputElement {
    return this.renderRoot.querySelector("input") as HTMLInputElement;
  }

  protected override render() {
    return html`<form @submit=${(submit: SubmitEvent) => void this.#submit(submit)}>
      <h2>${pageStrings.signIn.title}</h2>
      <p>${this.again ? pageStrings.signIn.again : pageStrings.signIn.lead}</p>
      <label
        >${pageStrings.signIn.token}
        <input type="password" name="token" required autocomplete="off" spellcheck="false" />
      </label>
      ${this.fault ? html`<p class="fault" role="alert">${this.fault}</p>` : nothing}
      <p><button class="action primary">${pageStrings.signIn.submit}</button></p>
      <p>
        ${pageStrings.signIn.hint}<br /><code
          >tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-00000000000a</code
        >
      </p>
    </form>`;
  }

  async #submit(submit: SubmitEvent): Promise<void> {
    submit.preventDefault();
    try {
      await sessionOf("", undefined).client.signIn(this.#field.value.trim());
      this.#field.value = "";
      this.fault = "";
      this.dispatchEvent(new CustomEvent("signed-in"));
    } catch (error) {
      this.fault =
        error instanceof ApiError
          ? reasonsOf(error).join(": ")
          : String(error);
    }
  }
}

declare global {
  interface HTMLElementTagNameMap {
    "tidings-sign-in": TidingsSignIn;
  }
}
