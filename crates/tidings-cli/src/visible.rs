//! Rejects passwords on the command line, which every user of the machine can read with `ps`.

use clap::ArgMatches;
use clap::error::ErrorKind;
use clap::parser::ValueSource;

/// The schemes of the addresses that can have a password.
const SCHEMES: [&str; 5] = [
    "postgres://",
    "postgresql://",
    "nats://",
    "tls://",
    "wss://",
];

const REMEDY: &str = "\
Every user of this machine can see the command line. Put the password into a file and name it with \
--store-password-file or --bus-password-file, or give the whole address in an environment variable.
";

/// Looks at the values of all flags that are on the command line, not in variables.
///
/// # Errors
///
/// A usage error that names the flag and not its value.
pub(crate) fn reject(matches: &ArgMatches) -> Result<(), clap::Error> {
    if let Some(flag) = password(matches) {
        let fault = format!("--{flag} has a password in its address. {REMEDY}");
        return Err(clap::Error::raw(ErrorKind::ValueValidation, fault));
    }
    matches
        .subcommand()
        .map_or(Ok(()), |(_, matches)| reject(matches))
}

/// The flag of the command line that has a password.
pub(crate) fn password(matches: &ArgMatches) -> Option<String> {
    let ids = matches.ids().map(clap::Id::as_str);
    let mut of_the_command_line =
        ids.filter(|id| matches.value_source(id) == Some(ValueSource::CommandLine));
    let found = of_the_command_line.find(|id| {
        let mut values = matches.try_get_raw(id).ok().flatten().into_iter().flatten();
        values.any(|value| value.to_str().is_some_and(has_password))
    });
    found.map(|id| id.replace('_', "-"))
}

/// Whether one of the addresses in `value` has a password: behind the name of a user, or as an option.
fn has_password(value: &str) -> bool {
    value.split(',').any(|address| {
        let rest = SCHEMES
            .iter()
            .find_map(|scheme| address.trim().strip_prefix(scheme));
        rest.and_then(|rest| rest.rsplit_once('@'))
            .is_some_and(|(user, _)| user.contains(':'))
    }) || (SCHEMES.iter().any(|scheme| value.starts_with(scheme))
        && value
            .split(['?', '&'])
            .skip(1)
            .any(|option| option.starts_with("password=")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_passwords_in_addresses() {
        for (value, expected) in [
            ("postgres://u:p@db/d", true),
            ("postgresql://u:p@a,b:5433/d", true),
            ("postgres://u@db/d?sslmode=require&password=p", true),
            ("nats://a:4222,nats://u:p@b:4222", true),
            ("postgres://u@db:5432/d", false),
            ("postgres://u@[::1]:5432,db:5433/d", false),
            ("nats://a:4222,tls://b:4222", false),
            ("http://u:p@db", false),
            ("./data", false),
        ] {
            assert_eq!(has_password(value), expected, "{value}");
        }
    }
}
