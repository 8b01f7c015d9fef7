//! The bus between servers that share a database.

use std::convert::Infallible;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use clap::error::ErrorKind;
use tidings::{BusConfig, NatsConfig};

/// The schemes of addresses of NATS.
const NATS: [&str; 2] = ["nats://", "tls://"];

/// The flags of the bus, below the heading `Store`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Store")]
pub(super) struct BusArgs {
    /// How servers that share a database tell each other of new events: `postgres`, addresses of NATS servers
    /// such as `nats://n1:4222,nats://n2:4222`, or `none` to look every few seconds [default: postgres if
    /// --store is a database]
    #[arg(
        long,
        value_name = "BUS",
        env = "TIDINGS_BUS",
        // It can have a password.
        hide_env_values = true,
        requires = "store"
    )]
    bus: Option<BusName>,

    /// File with the password of the NATS user that the addresses name, or with a token if they name none
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_BUS_PASSWORD_FILE",
        requires = "bus"
    )]
    bus_password_file: Option<PathBuf>,

    /// File with the credentials of a NATS user (`.creds`, a JWT and its seed) or with the seed of a user's nkey
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_BUS_CREDENTIALS_FILE",
        requires = "bus",
        conflicts_with = "bus_password_file"
    )]
    bus_credentials_file: Option<PathBuf>,

    /// PEM file with the certificate authorities of the NATS servers, instead of the system's
    #[arg(
        long,
        value_name = "FILE",
        env = "TIDINGS_BUS_CA_CERT",
        requires = "bus"
    )]
    bus_ca_cert: Option<PathBuf>,
}

/// A bus as a flag names it. Parsing accepts any text, since the usage error of clap would repeat it, and it can
/// have a password.
#[derive(Clone, PartialEq, Eq)]
struct BusName(String);

impl fmt::Debug for BusName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BusName").finish_non_exhaustive()
    }
}

impl FromStr for BusName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl BusArgs {
    /// The files with secrets and certificates, with their flags.
    pub(super) fn files(&self) -> impl Iterator<Item = (&'static str, &Path)> {
        let files = [
            ("bus-password-file", &self.bus_password_file),
            ("bus-credentials-file", &self.bus_credentials_file),
            ("bus-ca-cert", &self.bus_ca_cert),
        ];
        let given = files.into_iter();
        given.filter_map(|(flag, file)| Some((flag, file.as_deref()?)))
    }

    /// The first flag that is given.
    pub(super) fn given(&self) -> Option<&'static str> {
        self.bus.as_ref().map(|_| "--bus")
    }

    /// The bus of servers that share a database.
    ///
    /// # Errors
    ///
    /// A usage error that repeats nothing of an address.
    pub(super) fn config(&self) -> Result<BusConfig, clap::Error> {
        let fault = |text: &str| clap::Error::raw(ErrorKind::ValueValidation, text);
        let name = self.bus.as_ref().map_or("postgres", |bus| bus.0.trim());
        let files = [
            &self.bus_password_file,
            &self.bus_credentials_file,
            &self.bus_ca_cert,
        ];
        let of_nats = files.into_iter().any(Option::is_some);
        match name {
            "none" | "postgres" if of_nats => Err(fault(
                "--bus-password-file, --bus-credentials-file and --bus-ca-cert are for NATS: leave them out, or \
                 give the addresses of its servers with --bus\n",
            )),
            "none" => Ok(BusConfig::None),
            "postgres" => Ok(BusConfig::Postgres),
            addresses => {
                let addresses: Vec<&str> = addresses.split(',').map(str::trim).collect();
                let is_of_nats =
                    |address: &&str| NATS.iter().any(|scheme| address.starts_with(scheme));
                if !addresses.iter().all(is_of_nats) {
                    return Err(fault(
                        "--bus is neither postgres nor none, and not all of its addresses begin with nats:// \
                         or tls://\n",
                    ));
                }
                Ok(BusConfig::Nats(self.nats(&addresses)))
            }
        }
    }

    fn nats(&self, addresses: &[&str]) -> NatsConfig {
        let user = addresses.iter().find_map(|address| user(address));
        let mut config = match (&self.bus_password_file, user) {
            // The password of the file belongs to this user on all servers.
            (Some(_), Some(_)) => NatsConfig::new(addresses.iter().map(|one| without_user(one))),
            _ => NatsConfig::new(addresses.iter().copied()),
        };
        if self.bus_password_file.is_some() {
            config.user = user.map(str::to_owned);
        }
        config.password_file.clone_from(&self.bus_password_file);
        config
            .credentials_file
            .clone_from(&self.bus_credentials_file);
        config.root_certificates.clone_from(&self.bus_ca_cert);
        config
    }
}

/// The user that an address names without a password.
fn user(address: &str) -> Option<&str> {
    let (_, rest) = address.split_once("://")?;
    let (user, _) = rest.split_once('@')?;
    (!user.is_empty() && !user.contains(':')).then_some(user)
}

fn without_user(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) => format!("{scheme}://{host}"),
        _ => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[arg(long)]
        store: Option<String>,
        #[command(flatten)]
        args: BusArgs,
    }

    fn bus(flags: &[&str]) -> Result<BusConfig, clap::Error> {
        let cli = Cli::try_parse_from([&["x", "--store=s"], flags].concat())?;
        assert_eq!(cli.store.as_deref(), Some("s"));
        cli.args.config()
    }

    fn nats(flags: &[&str]) -> NatsConfig {
        match bus(flags).unwrap() {
            BusConfig::Nats(config) => config,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn flags_choose_the_bus() {
        assert!(matches!(bus(&[]).unwrap(), BusConfig::Postgres));
        assert!(matches!(
            bus(&["--bus=postgres"]).unwrap(),
            BusConfig::Postgres
        ));
        assert!(matches!(bus(&["--bus=none"]).unwrap(), BusConfig::None));
        let two = nats(&["--bus=nats://a:4222, tls://b:4222"]);
        assert_eq!(two.servers, ["nats://a:4222", "tls://b:4222"]);
        assert_eq!((two.user, two.password_file), (None, None));
    }

    #[test]
    fn the_password_of_a_user_is_in_a_file() {
        let named = nats(&[
            "--bus=nats://u@a:4222,nats://b:4222",
            "--bus-password-file=p",
        ]);
        assert_eq!(named.servers, ["nats://a:4222", "nats://b:4222"]);
        assert_eq!(named.user.as_deref(), Some("u"));
        assert_eq!(named.password_file, Some("p".into()));
        let token = nats(&["--bus=nats://a", "--bus-password-file=p", "--bus-ca-cert=c"]);
        assert_eq!(
            (token.user, token.root_certificates),
            (None, Some("c".into()))
        );
    }

    #[test]
    fn credentials_take_the_place_of_a_password() {
        let nats = nats(&["--bus=nats://a", "--bus-credentials-file=c"]);
        assert_eq!(nats.credentials_file, Some("c".into()));
        for other in ["--bus=none", "--bus-password-file=p"] {
            let flags = ["--bus=nats://a", "--bus-credentials-file=c", other];
            let rejected = bus(&flags[usize::from(other.starts_with("--bus="))..]).unwrap_err();
            assert_eq!(rejected.exit_code(), 2, "{rejected}");
        }
    }

    #[test]
    fn wrong_values_are_not_repeated() {
        for flags in [
            &["--bus=kafka://u:geheim@a"][..],
            &["--bus=nats://a,u:geheim@b"],
            &["--bus=none", "--bus-password-file=geheim"],
        ] {
            let error = bus(flags).unwrap_err();
            assert_eq!(error.exit_code(), 2);
            assert!(!error.to_string().contains("geheim"), "{error}");
        }
    }
}
