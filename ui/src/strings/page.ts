/** The texts of the server's own page around the elements, in English. */
export const pageStrings = {
  welcome: {
    title: "Send your first event",
    lead: "This inbox is empty. An event tells a user what the server did for them: the action, the resource, the result and the next step. Send one and it appears here immediately.",
    token: "Set TIDINGS_TOKEN to your token before you run these commands.",
    command: "Command line",
    curl: "curl",
    rust: "Rust",
    send: "Send a test event",
    sent: "Sending…",
    example: "My first event: connected to the cluster",
  },
  signIn: {
    title: "Sign in",
    lead: "Paste your access token. It is stored as a cookie that scripts cannot read.",
    token: "Token",
    submit: "Sign in",
    out: "Sign out",
    hint: "On a development server, create a token with:",
    again: "Your session has expired. Sign in again to continue. No notifications are lost.",
  },
};
