//! What the server keeps, and for how long.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use tidings::Retention;
use tidings_event::Severity;

use crate::age::{Age, AgeError};

/// The shortest age at which events are deleted: below, they would go before anybody has seen them.
const MIN_AGE: Duration = Duration::from_secs(60);

/// The shortest time for which a deletion is remembered: below, each pause of a device would cost it
/// its list.
const MIN_DELETED_AGE: Duration = Duration::from_secs(60 * 60);

/// The shortest rest of the background task: below it would look for work all the time.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// What is kept, and for how long.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "What is kept, and for how long")]
pub(super) struct RetentionArgs {
    /// Delete events older than this, such as `90d` or `12h 30min`, by when they were created [default: none]
    #[arg(long, value_name = "AGE", env = "TIDINGS_RETAIN_AGE")]
    retain_age: Option<Age>,

    /// For events of a severity another age than that, such as `debug=7d,informational=30d`
    #[arg(
        long,
        value_name = "SEVERITY=AGE",
        env = "TIDINGS_RETAIN_SEVERITY",
        value_delimiter = ','
    )]
    retain_severity: Vec<SeverityAge>,

    /// Keep only the last N events stored for each user [default: all]
    #[arg(long, value_name = "N", env = "TIDINGS_RETAIN_EVENTS")]
    retain_events: Option<NonZeroU64>,

    /// Keep only the last N events stored for the system, which every user sees
    #[arg(long, value_name = "N", env = "TIDINGS_RETAIN_SYSTEM", default_value_t = DEFAULT_SYSTEM)]
    retain_system: NonZeroU64,

    /// How long a deletion is remembered; a reader that was away for longer fetches its list anew
    #[arg(
        long,
        value_name = "AGE",
        env = "TIDINGS_RETAIN_DELETED",
        default_value_t = Age(Retention::DEFAULT_DELETED_AGE)
    )]
    retain_deleted: Age,

    /// Remember only the last N deletions of each user; a reader that missed more fetches its list again
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_RETAIN_DELETIONS",
        default_value_t = Retention::DEFAULT_OWNER_DELETIONS,
        value_parser = clap::value_parser!(u64).range(Retention::MIN_OWNER_DELETIONS..)
    )]
    retain_deletions: u64,

    /// How often it is looked for what is no longer kept
    #[arg(
        long,
        value_name = "TIME",
        env = "TIDINGS_RETENTION_INTERVAL",
        default_value_t = Age(Retention::DEFAULT_INTERVAL)
    )]
    retention_interval: Age,
}

const DEFAULT_SYSTEM: NonZeroU64 =
    NonZeroU64::new(Retention::DEFAULT_SYSTEM_EVENTS).expect("it is not 0");

impl RetentionArgs {
    /// What the engine is told.
    ///
    /// # Errors
    ///
    /// A usage error for what no single flag shows.
    pub(super) fn retention(&self) -> Result<Retention, clap::Error> {
        let mut severity_age = BTreeMap::new();
        for SeverityAge { severity, age } in &self.retain_severity {
            if severity_age.insert(*severity, age.0).is_some() {
                let fault = format!("--retain-severity gives {severity} twice\n");
                return Err(clap::Error::raw(ErrorKind::ArgumentConflict, fault));
            }
        }
        let shortest = severity_age.values().min().copied();
        for (flag, time, least) in [
            ("--retain-age", self.retain_age.map(|age| age.0), MIN_AGE),
            ("an age of --retain-severity", shortest, MIN_AGE),
            (
                "--retain-deleted",
                Some(self.retain_deleted.0),
                MIN_DELETED_AGE,
            ),
            (
                "--retention-interval",
                Some(self.retention_interval.0),
                MIN_INTERVAL,
            ),
        ] {
            if time.is_some_and(|time| time < least) {
                return Err(clap::Error::raw(
                    ErrorKind::ValueValidation,
                    format!("{flag} is shorter than {}\n", Age(least)),
                ));
            }
        }
        Ok(Retention {
            age: self.retain_age.map(|age| age.0),
            severity_age,
            owner_events: self.retain_events.map(NonZeroU64::get),
            system_events: self.retain_system.get(),
            deleted_age: self.retain_deleted.0,
            owner_deletions: self.retain_deletions,
            interval: self.retention_interval.0,
        })
    }
}

/// The rules in words, for the log.
pub(super) fn described(retention: &Retention) -> String {
    let Retention {
        age,
        severity_age,
        owner_events,
        system_events,
        deleted_age,
        owner_deletions,
        interval,
    } = retention;
    let mut text = match age {
        Some(age) => format!("events for {}", Age(*age)),
        None => "events of any age".to_owned(),
    };
    for (severity, age) in severity_age {
        text += &format!(", {severity} for {}", Age(*age));
    }
    text += &match owner_events {
        Some(number) => format!("; each user's newest {number}"),
        None => "; any number of a user".to_owned(),
    };
    text + &format!(
        ", the system's newest {system_events}; deletions for {}, {owner_deletions} of a user; looked \
         after every {}",
        Age(*deleted_age),
        Age(*interval)
    )
}

/// How long events of a severity are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SeverityAge {
    severity: Severity,
    age: Age,
}

impl FromStr for SeverityAge {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.trim().split_once('=');
        let (severity, age) = parts.ok_or("write it like `debug=7d`")?;
        Ok(Self {
            severity: severity
                .parse()
                .map_err(|error: tidings_event::SeverityError| {
                    format!("{error}: {}", error.remedy())
                })?,
            age: age.parse().map_err(|error: AgeError| error.to_string())?,
        })
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: RetentionArgs,
    }

    fn retention(flags: &[&str]) -> Result<Retention, clap::Error> {
        Cli::try_parse_from([&["x"], flags].concat())?
            .args
            .retention()
    }

    #[test]
    fn the_defaults_are_the_engine_s() {
        assert_eq!(retention(&[]).unwrap(), Retention::default());
    }

    #[test]
    fn what_is_kept_is_taken_from_the_flags() {
        let hour = Duration::from_secs(60 * 60);
        let retention = retention(&[
            "--retain-age=90d",
            "--retain-severity=debug=1w, informational=36h",
            "--retain-severity=error=2 days 1h",
            "--retain-events=5000",
            "--retain-system=100",
            "--retain-deleted=12h 30min",
            "--retain-deletions=2000",
            "--retention-interval=500ms",
        ]);
        let severity_age = [
            (Severity::Debug, 7 * 24 * hour),
            (Severity::Informational, 36 * hour),
            (Severity::Error, 49 * hour),
        ];
        assert_eq!(
            retention.unwrap(),
            Retention {
                age: Some(90 * 24 * hour),
                severity_age: severity_age.into(),
                owner_events: Some(5_000),
                system_events: 100,
                deleted_age: 12 * hour + hour / 2,
                owner_deletions: 2_000,
                interval: Duration::from_millis(500),
            }
        );
    }

    #[test]
    fn a_wrong_value_is_refused_with_what_to_write() {
        for (flag, hint) in [
            ("--retain-age=90", "such as `90d`"),
            ("--retain-age=0s", "above 0"),
            ("--retain-age=-3d", "above 0"),
            ("--retain-age=1 month", "such as `90d`"),
            ("--retain-age=soon", "such as `90d`"),
            ("--retain-age=6m", "`min`"),
            ("--retain-age=1h 30m", "`min`"),
            ("--retain-age=1ns", "--retain-age is shorter than 60s"),
            ("--retain-severity=debug=59s,error=1d", "shorter than 60s"),
            (
                "--retain-deleted=59min",
                "--retain-deleted is shorter than 3600s",
            ),
            ("--retain-severity=info=7d", "informational"),
            ("--retain-severity=debug", "debug=7d"),
            ("--retain-severity=debug=never", "such as `90d`"),
            ("--retain-severity=debug=1d,debug=2d", "twice"),
            ("--retain-events=0", "0"),
            ("--retain-deletions=999", "1000"),
            ("--retain-system=0", "0"),
            ("--retention-interval=1ms", "shorter than 10ms"),
        ] {
            let error = retention(&[flag]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{flag}");
            assert!(error.to_string().contains(hint), "{flag}: {error}");
        }
    }

    #[test]
    fn the_rules_are_said_in_words() {
        assert_eq!(
            described(&Retention::default()),
            "events of any age; any number of a user, the system's newest 10000; deletions for 30d, \
             100000 of a user; looked after every 60s"
        );
        let flags = [
            "--retain-age=90d",
            "--retain-severity=debug=7d",
            "--retain-events=5",
        ];
        assert!(
            described(&retention(&flags).unwrap())
                .starts_with("events for 90d, debug for 7d; each user's newest 5, ")
        );
    }
}
