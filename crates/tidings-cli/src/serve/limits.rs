//! Limits of callers, and of the size of events and requests.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use tidings::Reserve;
use tidings_event::Limits;
use tidings_server::CallerLimits;

/// An event without a description is stored as about 600 bytes. A page of 1,000 larger events would be more
/// than clients read.
const EVENT_BYTES: RangeInclusive<u64> = 1_024..=256 * 1_024;

/// A larger batch would delay all other publishers for tenths of a second.
const BATCH_EVENTS: RangeInclusive<u64> = 1..=10_000;

/// A quarter of the memory for all request bodies.
const MAX_BATCH_BYTES: u64 = 16 * 1_024 * 1_024;

/// The cause of an error needs this much.
const METADATA_BYTES: RangeInclusive<u64> = 1_024..=256 * 1_024;

/// A cause has 3 levels, and common parsers stop at 128.
const METADATA_DEPTH: RangeInclusive<u64> = 3..=Limits::MAX_METADATA_DEPTH as u64;

/// A cause has 7 keys.
const METADATA_KEYS: RangeInclusive<u64> = 16..=100_000;

/// The flags below the heading `Limits`.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Limits")]
pub(super) struct LimitArgs {
    /// How many events of a user the store collects before it adds them to its lists. For tests: it changes
    /// no result
    #[arg(long, value_name = "N", hide = true)]
    newest_events: Option<usize>,

    /// Events per second that one caller can publish, and the size of a burst; 0 for unlimited [default:
    /// 10000 with --auth jwt, otherwise unlimited]
    #[arg(long, value_name = "N", env = "TIDINGS_PUBLISH_RATE")]
    publish_rate: Option<u32>,

    /// Events per second that a caller without the scope events:publish can publish to itself, with bursts
    /// of ten times as many; each 8 KiB of a request count as one event; 0 for unlimited [default: 20 with
    /// --auth jwt, otherwise unlimited]
    #[arg(long, value_name = "N", env = "TIDINGS_OWN_PUBLISH_RATE")]
    own_publish_rate: Option<u32>,

    /// Requests per second that one caller can send to list, follow, mark and delete events, and the size
    /// of a burst; each further 32 KiB of a listed page count as one request; 0 for unlimited [default:
    /// 1000 with --auth jwt, otherwise unlimited]
    #[arg(long, value_name = "N", env = "TIDINGS_REQUEST_RATE")]
    request_rate: Option<u32>,

    /// Maximum live streams per user; 0 for unlimited [default: 100 with --auth jwt, otherwise unlimited]
    #[arg(long, value_name = "N", env = "TIDINGS_MAX_STREAMS_PER_OWNER")]
    max_streams_per_owner: Option<u32>,

    /// Maximum live streams per client address; 0 for unlimited. Clients behind a proxy share its address
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_STREAMS_PER_ADDRESS",
        default_value_t = 0
    )]
    max_streams_per_address: u32,

    /// Maximum size of the events of one user, in bytes, with 512 bytes added per event; publishers with
    /// the scope events:publish can fill as much again; 0 for unlimited [default: 268435456 with --auth
    /// jwt, otherwise unlimited]
    #[arg(long, value_name = "BYTES", env = "TIDINGS_MAX_OWNER_BYTES")]
    max_owner_bytes: Option<u64>,

    /// Disk space for marking, deleting and retention on a full disk, in bytes, kept both as a file and as
    /// free space; 0 for none [default: 67108864, or a sixteenth of a smaller file system]
    #[arg(long, value_name = "BYTES", env = "TIDINGS_RESERVE_BYTES")]
    reserve_bytes: Option<u64>,

    /// Maximum size of an event, in bytes of JSON, 1024 to 262144
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_EVENT_BYTES",
        default_value_t = Limits::default().event_bytes,
        value_parser = within(EVENT_BYTES)
    )]
    max_event_bytes: usize,

    /// Maximum number of events in a batch, 1 to 10000
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_BATCH_EVENTS",
        default_value_t = Limits::default().batch_events,
        value_parser = within(BATCH_EVENTS)
    )]
    max_batch_events: usize,

    /// Maximum size of a batch and of any request body, in bytes, 1024 to 16777216
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_BATCH_BYTES",
        default_value_t = Limits::default().batch_bytes,
        value_parser = within(*EVENT_BYTES.start()..=MAX_BATCH_BYTES)
    )]
    max_batch_bytes: usize,

    /// Maximum length of a description, in bytes, 64 to 262144
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_DESCRIPTION_BYTES",
        default_value_t = Limits::default().description_bytes,
        value_parser = within(64..=*EVENT_BYTES.end())
    )]
    max_description_bytes: usize,

    /// Maximum size of metadata, in bytes of JSON, 1024 to 262144
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_METADATA_BYTES",
        default_value_t = Limits::default().metadata_bytes,
        value_parser = within(METADATA_BYTES)
    )]
    max_metadata_bytes: usize,

    /// Maximum nesting of metadata, in levels, 3 to 100; the object itself is the first
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_METADATA_DEPTH",
        default_value_t = Limits::default().metadata_depth,
        value_parser = within(METADATA_DEPTH)
    )]
    max_metadata_depth: usize,

    /// Maximum number of keys in metadata, 16 to 100000, those of nested objects included
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_METADATA_KEYS",
        default_value_t = Limits::default().metadata_keys,
        value_parser = within(METADATA_KEYS)
    )]
    max_metadata_keys: usize,
}

/// Accepts numbers of a range; the usage error for others names it.
fn within(range: RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

impl LimitArgs {
    /// The limits per caller. Without authentication there is only one caller, so only given limits apply.
    pub(super) fn caller_limits(&self, login: bool) -> CallerLimits {
        let mut limits = if login {
            CallerLimits::with_login()
        } else {
            CallerLimits::default()
        };
        let or = |given: Option<u32>, default| given.map_or(default, NonZeroU32::new);
        limits.publish_rate = or(self.publish_rate, limits.publish_rate);
        limits.own_publish_rate = or(self.own_publish_rate, limits.own_publish_rate);
        limits.request_rate = or(self.request_rate, limits.request_rate);
        limits.streams_per_owner = or(self.max_streams_per_owner, limits.streams_per_owner);
        limits.streams_per_address = NonZeroU32::new(self.max_streams_per_address);
        limits
    }

    /// The most events of an owner that are in none of the lists in the store yet.
    pub(super) fn newest_events(&self) -> usize {
        self.newest_events
            .unwrap_or(tidings::SqliteConfig::DEFAULT_NEWEST_EVENTS)
    }

    /// The first given flag that only a data directory has.
    pub(super) fn of_directories(&self) -> Option<&'static str> {
        let reserve = self.reserve_bytes.map(|_| "--reserve-bytes");
        reserve.or(self.newest_events.map(|_| "--newest-events"))
    }

    /// The disk space that is kept for a full disk.
    pub(super) fn reserve(&self) -> Reserve {
        match self.reserve_bytes {
            None => Reserve::Automatic,
            Some(0) => Reserve::Nothing,
            Some(bytes) => Reserve::Bytes(bytes),
        }
    }

    /// The quota of each user, in bytes.
    ///
    /// # Errors
    ///
    /// A usage error if the largest event does not fit.
    pub(super) fn owner_bytes(&self, login: bool) -> Result<Option<u64>, clap::Error> {
        let Some(bytes) = self.max_owner_bytes else {
            return Ok(login.then_some(tidings::Config::DEFAULT_OWNER_BYTES));
        };
        let largest = self.max_event_bytes as u64;
        if (1..largest).contains(&bytes) {
            let fault = format!(
                "--max-owner-bytes ({bytes}) is less than --max-event-bytes ({largest}): raise the \
                 first or lower the second\n"
            );
            return Err(clap::Error::raw(ErrorKind::ValueValidation, fault));
        }
        Ok((bytes > 0).then_some(bytes))
    }

    /// The maximum sizes of events and batches.
    ///
    /// # Errors
    ///
    /// A usage error if a part can be larger than the whole.
    pub(super) fn event_limits(&self) -> Result<Limits, clap::Error> {
        let (event, batch) = (self.max_event_bytes, self.max_batch_bytes);
        for (part, bytes, whole, limit) in [
            (
                "--max-description-bytes",
                self.max_description_bytes,
                "--max-event-bytes",
                event,
            ),
            (
                "--max-metadata-bytes",
                self.max_metadata_bytes,
                "--max-event-bytes",
                event,
            ),
            ("--max-event-bytes", event, "--max-batch-bytes", batch),
        ] {
            if bytes > limit {
                let fault = format!(
                    "{part} ({bytes}) is more than {whole} ({limit}): lower the first or raise \
                     the second\n"
                );
                return Err(clap::Error::raw(ErrorKind::ValueValidation, fault));
            }
        }
        Ok(Limits::default()
            .with_description_bytes(self.max_description_bytes)
            .with_metadata_bytes(self.max_metadata_bytes)
            .with_metadata_depth(self.max_metadata_depth)
            .with_metadata_keys(self.max_metadata_keys)
            .with_event_bytes(event)
            .with_batch_events(self.max_batch_events)
            .with_batch_bytes(batch))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(Debug, clap::Parser)]
    struct Cli {
        #[command(flatten)]
        args: LimitArgs,
    }

    fn args(flags: &[&str]) -> Result<LimitArgs, clap::Error> {
        Ok(Cli::try_parse_from([&["x"], flags].concat())?.args)
    }

    #[test]
    fn defaults_are_those_of_the_engine_and_the_server() {
        let args = args(&[]).unwrap();
        assert_eq!(args.event_limits().unwrap(), Limits::default());
        assert_eq!(args.caller_limits(false), CallerLimits::default());
        assert_eq!(args.caller_limits(true), CallerLimits::with_login());
    }

    #[test]
    fn help_names_the_real_defaults() {
        use clap::CommandFactory as _;
        let help = Cli::command().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for default in [
            CallerLimits::DEFAULT_PUBLISH_RATE,
            CallerLimits::DEFAULT_OWN_PUBLISH_RATE,
            CallerLimits::DEFAULT_REQUEST_RATE,
            CallerLimits::DEFAULT_STREAMS_PER_OWNER,
        ] {
            let text = format!("[default: {default} with --auth jwt, otherwise unlimited]");
            assert!(help.contains(&text), "{text} is not in {help}");
        }
    }

    #[test]
    fn a_quota_applies_with_a_login_or_if_it_is_given() {
        let quota = |flags: &[&str], login| args(flags).unwrap().owner_bytes(login);
        let default = Some(tidings::Config::DEFAULT_OWNER_BYTES);
        for (flags, with_login, without) in [
            (&[][..], default, None),
            (&["--max-owner-bytes=0"], None, None),
            (
                &["--max-owner-bytes=1000000"],
                Some(1_000_000),
                Some(1_000_000),
            ),
        ] {
            assert_eq!(quota(flags, true).unwrap(), with_login, "{flags:?}");
            assert_eq!(quota(flags, false).unwrap(), without, "{flags:?}");
        }
        let error = quota(&["--max-owner-bytes=131071"], true).unwrap_err();
        assert_eq!(error.exit_code(), 2);
        let hint = "--max-owner-bytes (131071) is less than --max-event-bytes (131072)";
        assert!(error.to_string().contains(hint), "{error}");
    }

    #[test]
    fn flags_set_limits() {
        let args = args(&[
            "--publish-rate=5",
            "--own-publish-rate=4",
            "--request-rate=0",
            "--max-streams-per-owner=7",
            "--max-streams-per-address=8",
            "--max-event-bytes=200000",
            "--max-batch-events=20",
            "--max-batch-bytes=300000",
            "--max-description-bytes=100",
            "--max-metadata-bytes=150000",
            "--max-metadata-depth=5",
            "--max-metadata-keys=50",
        ])
        .unwrap();
        for login in [false, true] {
            let mut expected = CallerLimits::default();
            expected.publish_rate = NonZeroU32::new(5);
            expected.own_publish_rate = NonZeroU32::new(4);
            expected.streams_per_owner = NonZeroU32::new(7);
            expected.streams_per_address = NonZeroU32::new(8);
            assert_eq!(args.caller_limits(login), expected);
        }
        assert_eq!(
            args.event_limits().unwrap(),
            Limits::default()
                .with_description_bytes(100)
                .with_metadata_bytes(150_000)
                .with_metadata_depth(5)
                .with_metadata_keys(50)
                .with_event_bytes(200_000)
                .with_batch_events(20)
                .with_batch_bytes(300_000)
        );
    }

    #[test]
    fn rejects_wrong_values_with_the_range() {
        for (flags, hint) in [
            (&["--publish-rate=-1"][..], "--publish-rate"),
            (&["--publish-rate=many"], "--publish-rate"),
            (&["--max-event-bytes=1023"], "1024..=262144"),
            (&["--max-event-bytes=262145"], "1024..=262144"),
            (&["--max-batch-events=0"], "1..=10000"),
            (&["--max-batch-bytes=16777217"], "1024..=16777216"),
            (&["--max-metadata-depth=2"], "3..=100"),
            (&["--max-metadata-depth=101"], "3..=100"),
            (&["--max-metadata-keys=15"], "16..=100000"),
            (
                &["--max-event-bytes=2000"],
                "--max-description-bytes (4096) is more than --max-event-bytes (2000)",
            ),
            (
                &["--max-event-bytes=50000"],
                "--max-metadata-bytes (65536) is more than --max-event-bytes (50000)",
            ),
            (
                &["--max-batch-bytes=100000"],
                "--max-event-bytes (131072) is more than --max-batch-bytes (100000)",
            ),
        ] {
            let limits = args(flags).and_then(|args| args.event_limits());
            let error = limits.unwrap_err();
            assert_eq!(error.exit_code(), 2, "{flags:?}");
            assert!(error.to_string().contains(hint), "{flags:?}: {error}");
        }
    }
}
