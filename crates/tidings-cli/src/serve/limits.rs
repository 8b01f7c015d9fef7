//! How much a caller may ask for, and how large what they send may be.

use std::num::NonZeroU32;
use std::ops::RangeInclusive;

use clap::builder::RangedU64ValueParser;
use clap::error::ErrorKind;
use tidings::Reserve;
use tidings_event::Limits;
use tidings_server::CallerLimits;

/// Below, there would be no room for an event: without a description it is stored as about 600 bytes.
/// Above, a page of 1,000 would be larger than clients read.
const EVENT_BYTES: RangeInclusive<u64> = 1_024..=256 * 1_024;

/// Above, one batch would hold up all other publishers for tenths of a second.
const BATCH_EVENTS: RangeInclusive<u64> = 1..=10_000;

/// A quarter of the memory for all bodies that are read at the same time.
const MAX_BATCH_BYTES: u64 = 16 * 1_024 * 1_024;

/// Below, an event of severity error would have no room for its cause.
const METADATA_BYTES: RangeInclusive<u64> = 1_024..=256 * 1_024;

/// A cause has 3 levels, and common parsers stop at 128.
const METADATA_DEPTH: RangeInclusive<u64> = 3..=Limits::MAX_METADATA_DEPTH as u64;

/// A cause has 7 keys.
const METADATA_KEYS: RangeInclusive<u64> = 16..=100_000;

/// What one caller may ask for, and the sizes of what is sent.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "How much is served, and how large it may be")]
pub(super) struct LimitArgs {
    /// How many events one caller may publish a second, and as many at once; 0 for any number
    /// [default: 10000 with a login, any number without]
    #[arg(long, value_name = "N", env = "TIDINGS_PUBLISH_RATE")]
    publish_rate: Option<u32>,

    /// The same for callers without the scope events:publish, who publish to themselves; ten times as
    /// many at once [default: 20 with a login, any number without]
    #[arg(long, value_name = "N", env = "TIDINGS_OWN_PUBLISH_RATE")]
    own_publish_rate: Option<u32>,

    /// How many requests one caller may send a second to list, follow, mark and delete events, and as
    /// many at once; 0 for any number [default: 1000 with a login, any number without]
    #[arg(long, value_name = "N", env = "TIDINGS_REQUEST_RATE")]
    request_rate: Option<u32>,

    /// How many live streams one user may have open; 0 for any number [default: 100 with a login, any
    /// number without]
    #[arg(long, value_name = "N", env = "TIDINGS_MAX_STREAMS_PER_OWNER")]
    max_streams_per_owner: Option<u32>,

    /// How many live streams may be open to one address; 0 for any number, since all that come through
    /// a proxy have one
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_STREAMS_PER_ADDRESS",
        default_value_t = 0
    )]
    max_streams_per_address: u32,

    /// How many bytes the events of one user may take, 512 of each beside its texts; publishers with the
    /// scope events:publish may fill as much again; 0 for any number [default: 268435456 with a login,
    /// any number without]
    #[arg(long, value_name = "BYTES", env = "TIDINGS_MAX_OWNER_BYTES")]
    max_owner_bytes: Option<u64>,

    /// How many bytes of the disk are kept for marking, deleting and retention when it is full, in a file
    /// and again as free space; new events are refused before; 0 for none [default: 67108864, or a
    /// sixteenth of a smaller file system]
    #[arg(long, value_name = "BYTES", env = "TIDINGS_RESERVE_BYTES")]
    reserve_bytes: Option<u64>,

    /// The largest event, in bytes of JSON, as sent and as stored
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_EVENT_BYTES",
        default_value_t = Limits::default().event_bytes,
        value_parser = within(EVENT_BYTES)
    )]
    max_event_bytes: usize,

    /// The most events in a batch
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_BATCH_EVENTS",
        default_value_t = Limits::default().batch_events,
        value_parser = within(BATCH_EVENTS)
    )]
    max_batch_events: usize,

    /// The largest batch, and the largest body of any request, in bytes of JSON
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_BATCH_BYTES",
        default_value_t = Limits::default().batch_bytes,
        value_parser = within(*EVENT_BYTES.start()..=MAX_BATCH_BYTES)
    )]
    max_batch_bytes: usize,

    /// The longest description, in bytes
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_DESCRIPTION_BYTES",
        default_value_t = Limits::default().description_bytes,
        value_parser = within(64..=*EVENT_BYTES.end())
    )]
    max_description_bytes: usize,

    /// The largest metadata, in bytes of JSON
    #[arg(
        long,
        value_name = "BYTES",
        env = "TIDINGS_MAX_METADATA_BYTES",
        default_value_t = Limits::default().metadata_bytes,
        value_parser = within(METADATA_BYTES)
    )]
    max_metadata_bytes: usize,

    /// The deepest metadata, in levels; the object itself is the first
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_METADATA_DEPTH",
        default_value_t = Limits::default().metadata_depth,
        value_parser = within(METADATA_DEPTH)
    )]
    max_metadata_depth: usize,

    /// The most keys in metadata, those of its inner objects with them
    #[arg(
        long,
        value_name = "N",
        env = "TIDINGS_MAX_METADATA_KEYS",
        default_value_t = Limits::default().metadata_keys,
        value_parser = within(METADATA_KEYS)
    )]
    max_metadata_keys: usize,
}

/// Takes numbers of a range, and says which to the others.
fn within(range: RangeInclusive<u64>) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(range)
}

impl LimitArgs {
    /// How much one caller may ask for. Without a login there is one caller, who is not kept from
    /// themselves unless it is asked for.
    pub(super) fn caller_limits(&self, login: bool) -> CallerLimits {
        let defaults = if login {
            CallerLimits::with_login()
        } else {
            CallerLimits::default()
        };
        let or = |given: Option<u32>, default| given.map_or(default, NonZeroU32::new);
        CallerLimits {
            publish_rate: or(self.publish_rate, defaults.publish_rate),
            own_publish_rate: or(self.own_publish_rate, defaults.own_publish_rate),
            request_rate: or(self.request_rate, defaults.request_rate),
            streams_per_owner: or(self.max_streams_per_owner, defaults.streams_per_owner),
            streams_per_address: NonZeroU32::new(self.max_streams_per_address),
        }
    }

    /// How much of the disk is kept for what must work when it is full.
    pub(super) fn reserve(&self) -> Reserve {
        match self.reserve_bytes {
            None => Reserve::Automatic,
            Some(0) => Reserve::Nothing,
            Some(bytes) => Reserve::Bytes(bytes),
        }
    }

    /// How many bytes the events of one user may take.
    ///
    /// # Errors
    ///
    /// A usage error where the largest event would not fit.
    pub(super) fn owner_bytes(&self, login: bool) -> Result<Option<u64>, clap::Error> {
        let Some(bytes) = self.max_owner_bytes else {
            return Ok(login.then_some(tidings::Config::DEFAULT_OWNER_BYTES));
        };
        let largest = self.max_event_bytes as u64;
        if (1..largest).contains(&bytes) {
            let fault = format!(
                "--max-owner-bytes ({bytes}) is less than --max-event-bytes ({largest}): raise the \
                 one or lower the other\n"
            );
            return Err(clap::Error::raw(ErrorKind::ValueValidation, fault));
        }
        Ok((bytes > 0).then_some(bytes))
    }

    /// The sizes that events and batches must keep to.
    ///
    /// # Errors
    ///
    /// A usage error where one that is part of another is larger.
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
                    "{part} ({bytes}) is more than {whole} ({limit}): lower the one or raise the \
                     other\n"
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
    fn the_defaults_are_the_engine_s_and_the_server_s() {
        let args = args(&[]).unwrap();
        assert_eq!(args.event_limits().unwrap(), Limits::default());
        assert_eq!(args.caller_limits(false), CallerLimits::default());
        assert_eq!(args.caller_limits(true), CallerLimits::with_login());
    }

    #[test]
    fn the_help_names_the_real_defaults() {
        use clap::CommandFactory as _;
        let help = Cli::command().render_long_help().to_string();
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for default in [
            CallerLimits::DEFAULT_PUBLISH_RATE,
            CallerLimits::DEFAULT_OWN_PUBLISH_RATE,
            CallerLimits::DEFAULT_REQUEST_RATE,
            CallerLimits::DEFAULT_STREAMS_PER_OWNER,
        ] {
            let text = format!("[default: {default} with a login, any number without]");
            assert!(help.contains(&text), "{text} is not in {help}");
        }
    }

    #[test]
    fn users_have_a_quota_with_a_login_or_where_it_is_set() {
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
    fn limits_are_taken_from_the_flags() {
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
            assert_eq!(
                args.caller_limits(login),
                CallerLimits {
                    publish_rate: NonZeroU32::new(5),
                    own_publish_rate: NonZeroU32::new(4),
                    request_rate: None,
                    streams_per_owner: NonZeroU32::new(7),
                    streams_per_address: NonZeroU32::new(8),
                }
            );
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
    fn a_wrong_value_is_refused_with_what_to_write() {
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
