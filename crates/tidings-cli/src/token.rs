//! `tidings token`: creates tokens and secrets for a development server.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::ops::BitOr as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use tidings_event::{OwnerId, SystemId};
use tidings_server::{MintRequest, Scopes, Secret, mint};
use uuid::Uuid;

use crate::age::Age;
use crate::output;

const USAGE: &str = "\
tidings token --secret-file <FILE> --owner <UUID> [OPTIONS]
       tidings token --new-secret <FILE>
       tidings token owner --issuer <TEXT> --subject <TEXT>";

const DETAILS: &str = "\
Prints only the token, on standard output. Keep tokens and secrets private: a token grants its scopes
until it expires, and the secret can sign any token. If an identity provider issues the tokens, you do
not need this command.

Examples:
  tidings token --new-secret secret
  tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-000000000001
  tidings token owner --issuer https://id.example --subject alice
  tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-000000000002 \\
    --scope events:read --scope events:publish --expires-in 30d";

/// Create a token for a development server, or a secret that signs tokens
#[derive(Debug, clap::Args)]
#[command(
    override_usage = USAGE,
    after_help = DETAILS,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// File with the secret that the server verifies tokens with
    #[arg(long, value_name = "FILE", required_unless_present = "new_secret")]
    secret_file: Option<PathBuf>,
    /// User that the token authenticates
    #[arg(long, value_name = "UUID", required_unless_present = "new_secret")]
    owner: Option<OwnerId>,
    /// Granted scope (repeatable): events:read, events:write (change and publish one's own events),
    /// events:publish (publish to all users) or events:admin
    #[arg(
        long,
        value_name = "SCOPE",
        value_delimiter = ',',
        default_values = ["events:read", "events:write"]
    )]
    scope: Vec<Scopes>,
    /// Lifetime of the token, such as `8h` or `30d`
    #[arg(long, value_name = "TIME", default_value = "1h")]
    expires_in: Age,
    /// Issuer (`iss`), if the server requires one [default: none]
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// Audience (`aud`), if the server requires one [default: none]
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// System whose events the token publishes, updates and retracts (`systemId`) [default: none]
    #[arg(long, value_name = "UUID")]
    system_id: Option<SystemId>,
    /// Token id (`jti`), by which it can be revoked [default: a random UUID]
    #[arg(long, value_name = "TEXT")]
    id: Option<String>,
    /// Create this file with a random secret of 256 bits, readable by its owner only; the file must not exist
    #[arg(long, value_name = "FILE", exclusive = true)]
    new_secret: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the owner of tokens with this issuer and subject
    ///
    /// The owner is the subject if it is a UUID, and otherwise the UUID that a server with
    /// --jwt-owner-from-subject derives from issuer and subject.
    Owner {
        /// Issuer (`iss`) of the tokens, exactly as in the tokens
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        issuer: String,
        /// Subject (`sub`) of the tokens
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        subject: String,
    },
}

/// Prints the token or the owner, or creates the secret.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(Command::Owner { issuer, subject }) = &args.command {
        let owner =
            OwnerId::named_by(subject, Some(issuer)).context("could not derive an owner")?;
        output::print_line(owner).context("could not write to standard output")?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &args.new_secret {
        return make_secret(path);
    }
    let (Some(secret_file), Some(owner)) = (&args.secret_file, args.owner) else {
        return Err(anyhow!(
            "--secret-file and --owner are required to create a token"
        ));
    };
    let secret = Secret::read(secret_file);
    let secret =
        secret.with_context(|| format!("could not read the secret {}", secret_file.display()))?;
    let expires = Timestamp::now().checked_add(args.expires_in.0);
    let expires =
        expires.context("--expires-in reaches beyond the year 9999: give a shorter time")?;
    let scopes = args.scope.into_iter().fold(Scopes::NONE, Scopes::bitor);
    let mut request = MintRequest::new(owner, scopes, expires);
    request.issuer = args.issuer;
    request.audience = args.audience;
    request.system = args.system_id;
    request.id = Some(args.id.unwrap_or_else(|| Uuid::new_v4().to_string()));
    let token = mint(&secret, &request)?;
    output::print_line(token).context("could not write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn make_secret(path: &Path) -> anyhow::Result<ExitCode> {
    let failed = || format!("could not create {}", path.display());
    let line = Secret::new_line().with_context(failed)?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!(
            "{} exists, and tokens can be signed with it: give another name",
            path.display()
        ),
        _ => anyhow!(error).context(failed()),
    })?;
    let written = file.write_all(line.as_bytes());
    written
        .and_then(|()| file.sync_all())
        .with_context(failed)?;
    Ok(ExitCode::SUCCESS)
}
