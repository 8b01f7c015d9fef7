//! `tidings token`: tokens for a development server, and the secrets that sign them.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::ops::BitOr as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};
use jiff::Timestamp;
use tidings_event::OwnerId;
use tidings_server::{MintRequest, Scopes, Secret, mint};
use uuid::Uuid;

use crate::age::Age;
use crate::output;

const USAGE: &str = "\
tidings token --secret-file <FILE> --owner <UUID> [OPTIONS]
       tidings token --new-secret <FILE>
       tidings token owner --issuer <TEXT> --subject <TEXT>";

const DETAILS: &str = "\
The token is printed on standard output, and nothing else is. Whoever has it can do what it allows until
it expires; whoever has the secret can make any. Where an identity provider makes the tokens, this command
is not needed.

Examples:
  tidings token --new-secret secret
  tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-000000000001
  tidings token owner --issuer https://id.example --subject alice
  tidings token --secret-file secret --owner 7b1d2c3e-0000-4000-8000-000000000002 \\
    --scope events:read --scope events:publish --expires-in 30d";

/// Make a token for a development server, or the secret that signs tokens
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
    /// The file with the secret that the server verifies tokens with
    #[arg(long, value_name = "FILE", required_unless_present = "new_secret")]
    secret_file: Option<PathBuf>,
    /// Whose token it is: the user whose events it is about
    #[arg(long, value_name = "UUID", required_unless_present = "new_secret")]
    owner: Option<OwnerId>,
    /// What it allows: events:read, events:write (change one's own and publish to oneself),
    /// events:publish (to anyone and to the system) or events:admin; may be given several times
    #[arg(
        long,
        value_name = "SCOPE",
        value_delimiter = ',',
        default_values = ["events:read", "events:write"]
    )]
    scope: Vec<Scopes>,
    /// How long it can be used, such as `8h` or `30d`
    #[arg(long, value_name = "TIME", default_value = "1h")]
    expires_in: Age,
    /// Who issues it (`iss`), if the server asks for that [default: none]
    #[arg(long, value_name = "TEXT")]
    issuer: Option<String>,
    /// Whom it is for (`aud`), if the server asks for that [default: none]
    #[arg(long, value_name = "TEXT")]
    audience: Option<String>,
    /// The id (`jti`) by which it can be revoked [default: a random UUID]
    #[arg(long, value_name = "TEXT")]
    id: Option<String>,
    /// Make a file with a new secret of 256 random bits, which only its owner can read, and no token;
    /// there must be no file of this name
    #[arg(long, value_name = "FILE", exclusive = true)]
    new_secret: Option<PathBuf>,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Print the owner that tokens with a subject have
    ///
    /// It is the subject itself if that is a UUID, and otherwise the UUID that a server with
    /// --jwt-owner-from-subject makes of issuer and subject.
    Owner {
        /// The issuer (`iss`) of the tokens, exactly as it is written there
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        issuer: String,
        /// The subject (`sub`) of the tokens
        #[arg(long, value_name = "TEXT", value_parser = clap::builder::NonEmptyStringValueParser::new())]
        subject: String,
    },
}

/// Prints the token or the owner, or makes the file.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    if let Some(Command::Owner { issuer, subject }) = &args.command {
        let owner =
            OwnerId::named_by(subject, Some(issuer)).context("no owner is made of these")?;
        output::print_line(owner).context("could not write to standard output")?;
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(path) = &args.new_secret {
        return make_secret(path);
    }
    let (Some(secret_file), Some(owner)) = (&args.secret_file, args.owner) else {
        return Err(anyhow!("--secret-file and --owner are needed for a token"));
    };
    let secret = Secret::read(secret_file);
    let secret = secret.with_context(|| format!("could not use {}", secret_file.display()))?;
    let issued = Timestamp::now();
    let expires = issued.checked_add(args.expires_in.0);
    let request = MintRequest {
        owner,
        scopes: args.scope.into_iter().fold(Scopes::NONE, Scopes::bitor),
        issued,
        expires: expires.context("--expires-in reaches beyond the year 9999: give less")?,
        issuer: args.issuer,
        audience: args.audience,
        id: Some(args.id.unwrap_or_else(|| Uuid::new_v4().to_string())),
    };
    let token = mint(&secret, &request)?;
    output::print_line(token).context("could not write to standard output")?;
    Ok(ExitCode::SUCCESS)
}

fn make_secret(path: &Path) -> anyhow::Result<ExitCode> {
    let failed = || format!("could not make {}", path.display());
    let line = Secret::new_line().with_context(failed)?;
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(path);
    let mut file = file.map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => anyhow!(
            "{} is there already and stays as it is, since tokens may be signed with it: give another name",
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
