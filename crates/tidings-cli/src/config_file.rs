//! The configuration file of `tidings serve`: flags by their names, in TOML, with every fault reported at once.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use clap::builder::Resettable;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::parser::ValueSource;
use clap::{Arg, ArgAction, ArgMatches, Command};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::visible;

/// The subcommand that has a configuration file, and the flag that names it.
const COMMAND: &str = "serve";
pub(crate) const FLAG: &str = "config";

/// Flags that say what to do, not how. They are of the command line only.
const OF_THE_COMMAND_LINE: [&str; 4] = [FLAG, "check", "help", "version"];

/// The longest configuration file in bytes.
const MAX_BYTES: u64 = 256 * 1024;

/// The command line with what the configuration file adds: settings that neither a flag nor a variable gives.
///
/// # Errors
///
/// A usage error with all faults of the file and their lines. It repeats no value, since an address can have a password.
pub(crate) fn complete(
    command: &Command,
    arguments: Vec<OsString>,
) -> Result<Vec<OsString>, clap::Error> {
    // Flags can be missing that the file gives.
    let loose = command.clone().ignore_errors(true);
    let Ok(given) = loose.try_get_matches_from(&arguments) else {
        // The command reports it, or prints the help that was asked for.
        return Ok(arguments);
    };
    visible::reject(&given)?;
    let Some((COMMAND, given)) = given.subcommand() else {
        return Ok(arguments);
    };
    let Some(path) = given.get_one::<PathBuf>(FLAG) else {
        return Ok(arguments);
    };
    let serve = command.find_subcommand(COMMAND);
    let file = File::read(path)?;
    let flags = file.flags(serve.expect("it is a subcommand"), given)?;
    let at = arguments.iter().position(|argument| argument == COMMAND);
    let mut complete = arguments;
    let behind = at.map_or(complete.len(), |at| at + 1);
    complete.splice(behind..behind, flags);
    Ok(complete)
}

/// A file that has been read.
struct File<'a> {
    path: &'a Path,
    text: String,
    /// Whether other users of the machine can read it.
    is_open: bool,
}

/// The faults of a file, in the order of their lines.
struct Faults<'a> {
    file: &'a File<'a>,
    found: Vec<(usize, String)>,
}

impl<'a> File<'a> {
    fn read(path: &'a Path) -> Result<Self, clap::Error> {
        let fault = |text: fmt::Arguments<'_>| usage(format!("{}: {text}", path.display()));
        let opened = fs::File::open(path);
        let file = opened.map_err(|error| fault(format_args!("could not be read: {error}")))?;
        let mut bytes = Vec::new();
        let read = (&file).take(MAX_BYTES + 1).read_to_end(&mut bytes);
        read.map_err(|error| fault(format_args!("could not be read: {error}")))?;
        if bytes.len() as u64 > MAX_BYTES {
            return Err(fault(format_args!(
                "is longer than {MAX_BYTES} bytes, which no configuration is: name another file"
            )));
        }
        let text = String::from_utf8(bytes);
        let text = text.map_err(|_| fault(format_args!("is not UTF-8: save it as such")))?;
        let mode = file
            .metadata()
            .map(|metadata| metadata.permissions().mode());
        Ok(Self {
            path,
            text,
            is_open: mode.is_ok_and(|mode| mode & 0o004 != 0),
        })
    }

    /// The flags for the settings that are not `given` otherwise.
    fn flags(&self, serve: &Command, given: &ArgMatches) -> Result<Vec<OsString>, clap::Error> {
        let mut faults = Faults {
            file: self,
            found: Vec::new(),
        };
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        for error in errors {
            let at = error.span().map_or(0, |span| span.start);
            faults.add(at, error.message().to_owned());
        }
        let single = alone(serve);
        let mut flags = Vec::new();
        for (key, value) in table.get_ref() {
            let (name, at) = (key.get_ref().as_ref(), key.span().start);
            match self.flags_of(name, value, serve, &single) {
                Ok((id, added)) => {
                    let source = given.value_source(&id);
                    let is_given = source.is_some_and(|source| source != ValueSource::DefaultValue);
                    if !is_given {
                        flags.extend(added);
                    }
                }
                Err(texts) => {
                    for text in texts {
                        faults.add(at, format!("{name}: {text}"));
                    }
                }
            }
        }
        faults.report()?;
        Ok(flags)
    }

    /// The id of a setting, and its flags.
    fn flags_of(
        &self,
        name: &str,
        value: &Spanned<DeValue<'_>>,
        serve: &Command,
        single: &Command,
    ) -> Result<(String, Vec<OsString>), Vec<String>> {
        let mut known = serve.get_arguments();
        let arg = known.find(|arg| arg.get_long() == Some(name));
        let Some(arg) = arg else {
            return Err(vec![unknown(name, value, single)]);
        };
        if OF_THE_COMMAND_LINE.contains(&name) {
            return Err(vec![
                "is for the command line only: leave it out here".to_owned(),
            ]);
        }
        let texts = texts(arg, value.get_ref()).map_err(|text| vec![text.to_owned()])?;
        let flags: Vec<OsString> = texts
            .into_iter()
            .map(|text| match text {
                Some(text) => OsString::from(format!("--{name}={text}")),
                None => OsString::from(format!("--{name}")),
            })
            .collect();
        let mut faults = Vec::new();
        for flag in &flags {
            let tried = [OsStr::new(COMMAND), flag];
            match single.clone().try_get_matches_from(tried) {
                Err(error) => faults.extend(reason(&error)),
                Ok(matches) => {
                    if self.is_open && visible::password(&matches).is_some() {
                        faults.push(
                            "has a password, and every user of this machine can read the file: chmod o-r it, or put \
                             the password into a file of its own"
                                .to_owned(),
                        );
                    }
                }
            }
        }
        if faults.is_empty() {
            Ok((arg.get_id().to_string(), flags))
        } else {
            Err(faults)
        }
    }
}

impl Faults<'_> {
    /// Adds a fault at a position of the text.
    fn add(&mut self, at: usize, text: String) {
        let before = self.file.text.as_bytes().get(..at).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        self.found.push((line, text));
    }

    fn report(mut self) -> Result<(), clap::Error> {
        if self.found.is_empty() {
            return Ok(());
        }
        self.found.sort_by_key(|(line, _)| *line);
        let path = self.file.path.display();
        let lines = self.found.iter();
        let lines: Vec<String> = lines
            .map(|(line, text)| format!("{path}:{line}: {text}"))
            .collect();
        Err(usage(lines.join("\n")))
    }
}

/// The command that takes each flag without the others, so that only the value of that flag can be at fault.
fn alone(serve: &Command) -> Command {
    serve
        .clone()
        .mut_args(|arg| arg.env(Resettable::Reset))
        .ignore_errors(false)
}

/// The values of a flag as texts; `None` for a flag without a value.
fn texts(arg: &Arg, value: &DeValue<'_>) -> Result<Vec<Option<String>>, &'static str> {
    if !arg.get_action().takes_values() {
        return match value {
            DeValue::Boolean(true) => Ok(vec![None]),
            DeValue::Boolean(false) => Ok(Vec::new()),
            _ => Err("is on or off: write true or false"),
        };
    }
    match value {
        DeValue::Array(_) if !matches!(arg.get_action(), ArgAction::Append) => {
            Err("takes one value: write it without brackets")
        }
        DeValue::Array(values) => values
            .iter()
            .map(|value| text(value.get_ref()).map(Some))
            .collect(),
        _ => Ok(vec![Some(text(value)?)]),
    }
}

fn text(value: &DeValue<'_>) -> Result<String, &'static str> {
    match value {
        DeValue::String(text) => Ok(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(|number| number.to_string())
            .map_err(|_| "is too large a number"),
        DeValue::Float(number) => Ok(number.as_str().to_owned()),
        DeValue::Boolean(is_on) => Ok(is_on.to_string()),
        DeValue::Datetime(time) => Ok(time.to_string()),
        DeValue::Array(_) => Err("has a list in a list: write one list of texts or numbers"),
        DeValue::Table(_) => Err(GROUP),
    }
}

const GROUP: &str =
    "is a group, and settings have none: write each by the name of its flag, above the first [";

/// Why no flag has this name, with the name that was perhaps meant.
fn unknown(name: &str, value: &Spanned<DeValue<'_>>, single: &Command) -> String {
    if matches!(value.get_ref(), DeValue::Table(_)) {
        return GROUP.to_owned();
    }
    let flag = format!("--{}", name.replace('_', "-"));
    let tried = single.clone().try_get_matches_from([COMMAND, &flag]);
    let meant = match tried {
        Err(error) if error.kind() == ErrorKind::UnknownArgument => {
            match error.get(ContextKind::SuggestedArg) {
                Some(ContextValue::String(flag)) => Some(flag.clone()),
                _ => None,
            }
        }
        _ => Some(flag),
    };
    match meant {
        Some(flag) => format!("is no setting: write `{}`", flag.trim_start_matches('-')),
        None => "is no setting: `tidings serve --help` lists the flags, whose names it has to be"
            .to_owned(),
    }
}

/// Why a value is rejected. `None` if only other flags are missing or in its way, which the whole command line shows.
fn reason(error: &clap::Error) -> Option<String> {
    use std::error::Error as _;
    match error.kind() {
        ErrorKind::MissingRequiredArgument | ErrorKind::ArgumentConflict => None,
        ErrorKind::InvalidValue => match error.get(ContextKind::ValidValue) {
            Some(ContextValue::Strings(values)) if !values.is_empty() => {
                Some(format!("must be one of {}", values.join(", ")))
            }
            _ => Some("needs a value".to_owned()),
        },
        _ => Some(match error.source() {
            Some(source) => source.to_string(),
            None => "cannot have this value".to_owned(),
        }),
    }
}

fn usage(text: String) -> clap::Error {
    clap::Error::raw(ErrorKind::ValueValidation, text + "\n")
}

#[cfg(test)]
mod tests;
