//! Retention: how long the server keeps events and deletions.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use tidings::Retention;
use tidings_event::Severity;

use crate::age::{Age, AgeError};

/// The lowest maximum age: with a lower one events would expire before users see them.
const MIN_AGE: Duration = Duration::from_secs(60);

/// The shortest memory of deletions: with a shorter one every device that sleeps would reload its list.
const MIN_DELETED_AGE: Duration = Duration::from_secs(60 * 60);

/// The shortest pause of the background task, which would otherwise use a core.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// The flags below the heading `Retention`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Retention")]
pub(super) struct RetentionArgs {
    /// Delete events this long after their creation, such as `90d` or `12h 30min`, at least 60s [default:
    /// never]
    #[arg(long, value_name = "AGE", env = "TIDINGS_RETAIN_AGE")]
    retain_age: Option<Age>,

    /// Override --retain-age for a severity, such as `debug=7d,informational=30d`
    #[arg(
        long,
        value_name = "SEVERITY=AGE",
        env = "TIDINGS_RETAIN_SEVERITY",
        value_delimiter = ','
    )]
    retain_severity: Vec<SeverityAge>,

    /// Keep only the newest N events per user [default: unlimited]
    #[arg(long, value_name = "N", env = "TIDINGS_RETAIN_EVENTS")]
    retain_events: Option<NonZeroU64>,

    /// Keep only the newest N system events, which every user sees
    #[arg(long, value_name = "N", env = "TIDINGS_RETAIN_SYSTEM", default_value_t = DEFAULT_SYSTEM)]
    retain_system: NonZeroU64,

    /// Remember deletions for this long, at least 1h; a client that was away longer reloads its list
    #[arg(
        long,
        value_name = "AGE",
        env = "TIDINGS_RETAIN_DELETED",
        default_value_t = Age(Retention::DEFAULT_DELETED_AGE)
    )]
    retain_deleted: Age,

    /// Remember only the newest N deletions per user; a client that missed more reloads its list
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_RETAIN_DELETIONS",
        default_value_t = Retention::DEFAULT_OWNER_DELETIONS,
        value_parser = clap::value_parser!(u64).range(Retention::MIN_OWNER_DELETIONS..)
    )]
    retain_deletions: u64,

    /// How often to purge expired events, at least 10ms
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
    /// The rules for the engine.
    ///
    /// # Errors
    ///
    /// A usage error for a severity that is given twice, and for a time that is too short.
    pub(super) fn retention(&self) -> Result<Retention, clap::Error> {
        let mut severity_age = BTreeMap::new();
        for SeverityAge { severity, age } in &self.retain_severity {
            if severity_age.insert(*severity, age.0).is_some() {
                let fault = format!("--retain-severity is given twice for {severity}\n");
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
                    format!("{flag} is too short; the minimum is {}\n", Age(least)),
                ));
            }
        }
        let mut retention = Retention::default();
        retention.age = self.retain_age.map(|age| age.0);
        retention.severity_age = severity_age;
        retention.owner_events = self.retain_events.map(NonZeroU64::get);
        retention.system_events = self.retain_system.get();
        retention.deleted_age = self.retain_deleted.0;
        retention.owner_deletions = self.retain_deletions;
        retention.interval = self.retention_interval.0;
        Ok(retention)
    }
}

/// Logs the rules.
pub(super) fn log(retention: &Retention) {
    let Retention {
        age,
        severity_age,
        owner_events,
        system_events,
        deleted_age,
        owner_deletions,
        interval,
        ..
    } = retention;
    tracing::info!(
        max_age = or_none(age.map(Age)),
        max_age_by_severity = severity_ages(severity_age),
        per_user = or_none(*owner_events),
        system = system_events,
        deletions = %Age(*deleted_age),
        deletions_per_user = owner_deletions,
        interval = %Age(*interval),
        "retention"
    );
}

fn or_none(limit: Option<impl Display>) -> String {
    limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string())
}

/// The ages as `--retain-severity` takes them.
fn severity_ages(ages: &BTreeMap<Severity, Duration>) -> Option<String> {
    let ages: Vec<String> = ages
        .iter()
        .map(|(severity, age)| format!("{severity}={}", Age(*age)))
        .collect();
    (!ages.is_empty()).then(|| ages.join(","))
}

/// The maximum age of events of a severity.
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
    fn defaults_are_those_of_the_engine() {
        assert_eq!(retention(&[]).unwrap(), Retention::default());
    }

    #[test]
    fn flags_set_retention() {
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
        let expected = Retention::default()
            .with_age(90 * 24 * hour)
            .with_severity_age(Severity::Debug, 7 * 24 * hour)
            .with_severity_age(Severity::Informational, 36 * hour)
            .with_severity_age(Severity::Error, 49 * hour)
            .with_owner_events(5_000)
            .with_system_events(100)
            .with_deleted_age(12 * hour + hour / 2)
            .with_owner_deletions(2_000)
            .with_interval(Duration::from_millis(500));
        assert_eq!(retention.unwrap(), expected);
    }

    #[test]
    fn rejects_wrong_values_with_a_hint() {
        for (flag, hint) in [
            ("--retain-age=90", "such as `90d`"),
            ("--retain-age=0s", "above 0"),
            ("--retain-age=-3d", "above 0"),
            ("--retain-age=1 month", "such as `90d`"),
            ("--retain-age=soon", "such as `90d`"),
            ("--retain-age=6m", "`min`"),
            ("--retain-age=1h 30m", "`min`"),
            (
                "--retain-age=1ns",
                "--retain-age is too short; the minimum is 60s",
            ),
            ("--retain-severity=debug=59s,error=1d", "the minimum is 60s"),
            (
                "--retain-deleted=59min",
                "--retain-deleted is too short; the minimum is 3600s",
            ),
            ("--retain-severity=info=7d", "informational"),
            ("--retain-severity=debug", "debug=7d"),
            ("--retain-severity=debug=never", "such as `90d`"),
            ("--retain-severity=debug=1d,debug=2d", "twice"),
            ("--retain-events=0", "0"),
            ("--retain-deletions=999", "1000"),
            ("--retain-system=0", "0"),
            ("--retention-interval=1ms", "the minimum is 10ms"),
        ] {
            let error = retention(&[flag]).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{flag}");
            assert!(error.to_string().contains(hint), "{flag}: {error}");
        }
    }

    #[test]
    fn logs_ages_as_flags_take_them() {
        let rules = retention(&["--retain-severity=informational=36h,debug=7d"]).unwrap();
        let logged = severity_ages(&rules.severity_age).unwrap();
        let again = retention(&[&format!("--retain-severity={logged}")]).unwrap();
        assert_eq!(again.severity_age, rules.severity_age);
        assert_eq!(severity_ages(&BTreeMap::new()), None);
        assert_eq!(or_none(Some(Age(24 * Duration::from_secs(3600)))), "1d");
        assert_eq!(or_none(None::<u64>), "none");
    }
}
